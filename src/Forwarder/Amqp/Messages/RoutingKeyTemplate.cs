using System.Text;
using KeyEvt.Forwarder.Events;
using RabbitMQ.Client;

namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>
/// Which routing key does an event get? A template is text with the parts <c>{db}</c>, <c>{event}</c>, <c>{class}</c> and <c>{key}</c>, such as
/// <c>redis.{db}.{event}</c> for a topic exchange. A routing key that was used before costs no allocation. AMQP allows 255 bytes (0-9-1, section
/// 4.2.5.3). A longer result is cut there, in front of a character that would not fit whole, and counted. Used by the delivery loop only.
/// </summary>
public sealed class RoutingKeyTemplate
{
    public const int MaxBytes = 255;

    private const int MaxRemembered = 16 * 1024;

    private readonly List<(RoutingKeyPart Part, byte[] Literal)> _parts = [];
    private readonly byte[] _suffix;
    private readonly RoutingKeyCutCounter _cuts;
    private readonly byte[] _scratch = new byte[MaxBytes];
    private readonly Dictionary<byte[], CachedString>.AlternateLookup<ReadOnlySpan<byte>> _seen =
        new Dictionary<byte[], CachedString>(ByteSequenceComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    private readonly CachedString? _constant;
    private readonly bool _isConstantCut;

    /// <param name="suffix">Appended to each routing key, and never cut.</param>
    internal RoutingKeyTemplate(string template, string suffix, RoutingKeyCutCounter cuts)
    {
        foreach (var (part, text) in RoutingKeyParts.Split(template)) _parts.Add((part, Encoding.UTF8.GetBytes(text)));

        (_suffix, _cuts) = (Encoding.UTF8.GetBytes(suffix), cuts);
        if (_parts.TrueForAll(static p => p.Part == RoutingKeyPart.Literal))
        {
            var length = Fill(default, EventClass.None, out _isConstantCut);
            _constant = new CachedString(Encoding.UTF8.GetString(_scratch, 0, length));
        }
    }

    /// <summary>Null, or why the text cannot be a routing key.</summary>
    public static string? Fault(string template)
    {
        if (Encoding.UTF8.GetByteCount(template) > MaxBytes) return $"a routing key has at most {MaxBytes} bytes";

        foreach (var (part, text) in RoutingKeyParts.Split(template))
        {
            if (part == RoutingKeyPart.Literal && text.StartsWith('{') && text.EndsWith('}') && text.Length > 2)
            {
                return $"routing key part '{text}' is not known; there are {{db}}, {{event}}, {{class}} and {{key}}";
            }
        }

        return null;
    }

    /// <param name="eventClass">The class that the server named; None to derive it from the event's name.</param>
    internal CachedString Resolve(ReadOnlySpan<byte> body, EventClass eventClass = EventClass.None)
    {
        if (_constant is not null)
        {
            if (_isConstantCut) _cuts.Add();

            return _constant;
        }

        ReadOnlySpan<byte> resolved = _scratch.AsSpan(0, Fill(EventBody.Parse(body), eventClass, out var isCut));
        if (isCut) _cuts.Add();

        if (_seen.TryGetValue(resolved, out var known)) return known;

        if (_seen.Dictionary.Count >= MaxRemembered) _seen.Dictionary.Clear();

        var bytes = resolved.ToArray();
        return _seen.Dictionary[bytes] = new CachedString(Encoding.Latin1.GetString(bytes), bytes);
    }

    /// <summary>The routing key as text. A cut is not counted, because nothing is published with it.</summary>
    internal string Peek(ReadOnlySpan<byte> body, EventClass eventClass = EventClass.None) =>
        _constant?.Value ?? Encoding.Latin1.GetString(_scratch, 0, Fill(EventBody.Parse(body), eventClass, out _));

    private int Fill(EventBody body, EventClass eventClass, out bool isCut)
    {
        isCut = false;
        var limit = MaxBytes - _suffix.Length;
        var length = 0;
        foreach (var (part, literal) in _parts)
        {
            var piece = part switch
            {
                RoutingKeyPart.Database => body.Database,
                RoutingKeyPart.Event => body.Event,
                RoutingKeyPart.Key => body.Key,
                RoutingKeyPart.Class => ClassName(eventClass == EventClass.None ? EventClassTable.RedisWithArrays.Of(body.Event) : eventClass),
                _ => literal,
            };
            var fits = Math.Min(piece.Length, limit - length);
            if (fits < piece.Length)
            {
                isCut = true;
                fits = WholeCharacters(piece, fits);
                piece[..fits].CopyTo(_scratch.AsSpan(length));
                length += fits;
                break;
            }

            piece.CopyTo(_scratch.AsSpan(length));
            length += fits;
        }

        _suffix.CopyTo(_scratch.AsSpan(length));
        return length + _suffix.Length;
    }

    /// <summary>How many of the first bytes to keep so that no UTF-8 character is cut in two. For text that is not UTF-8: all of them.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> text, int count)
    {
        for (var back = 1; back <= 3 && back <= count; back++)
        {
            var first = text[count - back];
            if ((first & 0xC0) == 0x80) continue; // a continuation byte: the character's first byte is further in front

            var isWhole = Rune.DecodeFromUtf8(text[(count - back)..], out _, out var bytes) == System.Buffers.OperationStatus.Done;
            return isWhole && bytes > back ? count - back : count;
        }

        return count;
    }

    private static ReadOnlySpan<byte> ClassName(EventClass eventClass) => eventClass switch
    {
        EventClass.Generic => "generic"u8,
        EventClass.String => "string"u8,
        EventClass.List => "list"u8,
        EventClass.Set => "set"u8,
        EventClass.Hash => "hash"u8,
        EventClass.SortedSet => "zset"u8,
        EventClass.Expired => "expired"u8,
        EventClass.Evicted => "evicted"u8,
        EventClass.Stream => "stream"u8,
        EventClass.KeyMiss => "keymiss"u8,
        EventClass.New => "new"u8,
        EventClass.Overwritten => "overwritten"u8,
        EventClass.TypeChanged => "type_changed"u8,
        EventClass.Array => "array"u8,
        _ => "module"u8,
    };
}
