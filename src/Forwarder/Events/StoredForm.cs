using System.Buffers.Text;

namespace KeyEvt.Forwarder.Events;

/// <summary>In which form is an event written while it waits, in memory and in every store?</summary>
/// <remarks>
/// <code>
/// stored = %x01 id ["~" [class [length]] ["@" epoch]] LF body [fields]
/// id     = 1 to 255 bytes from "!" to "}"
/// class  = a letter of notify-keyspace-events           only if the server's class differs from the one that the name says, or there are fields
/// length = bytes of the fields, decimal                 only if there are fields
/// epoch  = decimal, at least 1                          only in a store, if there may be several: see EpochAssigner
/// body   = db LF event LF key
/// fields = see FieldList
/// </code>
/// Entries that redis-event-stream-module has left are the body alone. An older KeyEvt does not know "~", or "@" behind it. It takes what follows the
/// id for a part of the id, and fields for the end of the key.
/// </remarks>
internal readonly ref struct StoredForm
{
    public const byte IdMark = 1;

    /// <summary>Ends the id. Ids of this program do not contain it.</summary>
    public const byte ExtraMark = (byte)'~';

    /// <summary>Stands before the epoch, which is the last part of a head.</summary>
    private const byte EpochMark = (byte)'@';

    /// <summary>Maximum length of the id together with what follows it, without an epoch.</summary>
    public const int MaxHeadLength = 80;

    private readonly ReadOnlySpan<byte> _head;
    private readonly ReadOnlySpan<byte> _database;
    private readonly ReadOnlySpan<byte> _event;
    private readonly ReadOnlySpan<byte> _key;
    private readonly ReadOnlySpan<byte> _fields;

    /// <param name="head">The head that <see cref="WriteHead"/> made.</param>
    public StoredForm(ReadOnlySpan<byte> head, ReadOnlySpan<byte> database, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields)
    {
        _head = head;
        _database = database;
        _event = eventName;
        _key = key;
        _fields = fields;
    }

    public int Length => _head.Length + _database.Length + _event.Length + _key.Length + _fields.Length + 4;

    /// <summary>Writes the id, and behind it the class and the length of the fields if they are needed.</summary>
    /// <param name="to">At least <see cref="MaxHeadLength"/> bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public static int WriteHead(Span<byte> to, in EventPosition position, EventClass eventClass, ReadOnlySpan<byte> eventName, int fieldsLength)
    {
        var length = EventMessageId.Write(position, to);
        var byName = EventClassTable.RedisWithArrays.Of(eventName);
        if (eventClass == byName && fieldsLength == 0) return length;

        to[length++] = ExtraMark;
        to[length++] = (byte)NotifyFlags.LetterOf(NameOf(eventClass));
        if (fieldsLength > 0)
        {
            Utf8Formatter.TryFormat(fieldsLength, to[length..], out var digits);
            length += digits;
        }

        return length;
    }

    public static void Compose(Span<byte> to, in StoredForm form)
    {
        to[0] = IdMark;
        form._head.CopyTo(to[1..]);
        to = to[(form._head.Length + 1)..];
        to[0] = (byte)'\n';
        form._database.CopyTo(to[1..]);
        to = to[(form._database.Length + 1)..];
        to[0] = (byte)'\n';
        form._event.CopyTo(to[1..]);
        to = to[(form._event.Length + 1)..];
        to[0] = (byte)'\n';
        form._key.CopyTo(to[1..]);
        form._fields.CopyTo(to[(form._key.Length + 1)..]);
    }

    /// <summary>A copy of a stored form, with the epoch at the end of its head.</summary>
    /// <param name="stored">Without an epoch.</param>
    /// <param name="headLength">Number of bytes between the mark and the first line feed, at least 1.</param>
    public static byte[] WithEpoch(ReadOnlySpan<byte> stored, int headLength, long epoch)
    {
        Span<byte> added = stackalloc byte[24];
        var length = 0;
        if (ReadHead(stored.Slice(1, headLength), stored.Length - headLength - 2).IdLength == headLength) added[length++] = ExtraMark;
        added[length++] = EpochMark;
        Utf8Formatter.TryFormat(epoch, added[length..], out var digits);
        return [.. stored[..(headLength + 1)], .. added[..(length + digits)], .. stored[(headLength + 1)..]];
    }

    /// <summary>Reads the id's length and what follows the id. What is not of our form was made by another program, and is all id.</summary>
    /// <param name="head">Everything in front of the first line feed, without the mark.</param>
    /// <param name="bodyLength">Number of bytes behind that line feed.</param>
    public static Head ReadHead(ReadOnlySpan<byte> head, int bodyLength)
    {
        var all = new Head(head.Length, EventClass.None, 0, 0);
        var mark = head.LastIndexOf(ExtraMark);
        if (mark <= 0) return all;

        var extra = head[(mark + 1)..];
        var end = extra.IndexOf(EpochMark);
        long epoch = 0;
        if (end >= 0 && !TryReadDigits(extra[(end + 1)..], out epoch)) return all;

        if (end >= 0) extra = extra[..end];
        if (extra.IsEmpty) return end < 0 ? all : new Head(mark, EventClass.None, 0, epoch);

        var one = NotifyFlags.ClassOf((char)extra[0]);
        long length = 0;
        if (one == EventClass.None || (extra.Length > 1 && !TryReadDigits(extra[1..], out length)) || length > bodyLength) return all;

        return new Head(mark, one, (int)length, epoch);
    }

    private static bool TryReadDigits(ReadOnlySpan<byte> digits, out long number) => Utf8Parser.TryParse(digits, out number, out var used) && used == digits.Length && number >= 0;

    /// <summary>The one class that is written for an event, if the server uses its name for two.</summary>
    private static EventClass NameOf(EventClass classes) => classes.HasFlag(EventClass.Expired) ? EventClass.Expired : classes;

    /// <summary>What does a head say?</summary>
    /// <param name="IdLength">Number of bytes of the id, with which it begins.</param>
    /// <param name="Class">None if the class is the one that the event's name says.</param>
    /// <param name="FieldsLength">Number of bytes of the fields.</param>
    /// <param name="Epoch">0 if there is none.</param>
    public readonly record struct Head(int IdLength, EventClass Class, int FieldsLength, long Epoch);
}
