using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Events;

/// <summary>
/// What is one event on its way out? A view of bytes that an <see cref="EventLog"/> owns; valid until the entry is settled.
/// The stored form is <see cref="StoredForm"/>, the very bytes of an entry of the fallback storage (docs/architecture.md, "The stored form").
/// </summary>
/// <param name="Sequence">The entry's number in its log; grows by one an entry.</param>
/// <param name="Stored">The stored form; a plain body (no id) when an older program left it in the fallback storage.</param>
/// <param name="HeadLength">Bytes between the mark and the first line feed: the message id and what stands behind it; 0 for a plain body.</param>
/// <param name="UnixMilliseconds">When the feed read the event; 0 when not known.</param>
/// <param name="Attempts">How often the broker has refused it so far.</param>
internal readonly record struct LogEntry(long Sequence, ReadOnlyMemory<byte> Stored, int HeadLength, long UnixMilliseconds, int Attempts)
{
    public ReadOnlyMemory<byte> MessageId
    {
        get
        {
            Read(out var idLength, out _, out _);
            return HeadLength == 0 ? default : Stored.Slice(1, idLength);
        }
    }

    public ReadOnlyMemory<byte> Body
    {
        get
        {
            Read(out _, out _, out var fieldsLength);
            return HeadLength == 0 ? Stored : Stored[(HeadLength + 2)..^fieldsLength];
        }
    }

    /// <summary>The fields of the hash, see <see cref="FieldList"/>; empty where the server did not say.</summary>
    public ReadOnlyMemory<byte> Fields
    {
        get
        {
            Read(out _, out _, out var fieldsLength);
            return Stored[^fieldsLength..];
        }
    }

    /// <summary>Of the event, by the word of the server that sent it; None: what its name says.</summary>
    public EventClass Class
    {
        get
        {
            Read(out _, out var eventClass, out _);
            return eventClass;
        }
    }

    /// <summary>The length of the head in a stored form; 0 when it is a plain body: a head is 1 to 255 printable ASCII characters, as AMQP takes an id.</summary>
    public static int HeadLengthOf(ReadOnlySpan<byte> stored)
    {
        if (stored.IsEmpty || stored[0] != StoredForm.IdMark) return 0;

        var end = stored.IndexOf((byte)'\n');
        return end <= 1 || end > 256 || stored[1..end].ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) ? 0 : end - 1;
    }

    private void Read(out int idLength, out EventClass eventClass, out int fieldsLength)
    {
        if (HeadLength == 0)
        {
            (idLength, eventClass, fieldsLength) = (0, EventClass.None, 0);
        }
        else
        {
            StoredForm.ReadHead(Stored.Span.Slice(1, HeadLength), Stored.Length - HeadLength - 2, out idLength, out eventClass, out fieldsLength);
        }
    }
}
