using System.Text;
using KeyEvt.Forwarder.Feed;
using RabbitMQ.Client;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// Which routing key does an event get? A text with the parts <c>{db}</c>, <c>{event}</c>, <c>{class}</c> and <c>{key}</c>, such as
/// <c>redis.{db}.{event}</c> for a topic exchange. A result seen before costs no allocation. AMQP allows 255 bytes: a longer result is
/// cut there and counted. One instance belongs to one link.
/// </summary>
public sealed class RoutingKeyTemplate
{
    public const int MaxBytes = 255;

    private const int MaxRemembered = 16 * 1024;

    private readonly List<(Part Part, byte[] Literal)> _parts = [];
    private readonly byte[] _scratch = new byte[MaxBytes];
    private readonly Dictionary<byte[], CachedString>.AlternateLookup<ReadOnlySpan<byte>> _seen =
        new Dictionary<byte[], CachedString>(ByteSequenceComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    private readonly CachedString? _constant;

    private enum Part
    {
        Literal,
        Database,
        Event,
        Class,
        Key,
    }

    public RoutingKeyTemplate(string template)
    {
        foreach (var (part, text) in Split(template))
            _parts.Add((part, Encoding.UTF8.GetBytes(text)));

        if (_parts.TrueForAll(p => p.Part == Part.Literal))
            _constant = new CachedString(template);
    }

    /// <summary>Results that had to be cut.</summary>
    public long Cut { get; private set; }

    /// <summary>Null, or why the text cannot be a routing key.</summary>
    public static string? Fault(string template)
    {
        if (Encoding.UTF8.GetByteCount(template) > MaxBytes)
            return $"a routing key has at most {MaxBytes} bytes";

        foreach (var (part, text) in Split(template))
        {
            if (part == Part.Literal && text.StartsWith('{') && text.EndsWith('}') && text.Length > 2)
                return $"routing key part '{text}' is not known; there are {{db}}, {{event}}, {{class}} and {{key}}";
        }

        return null;
    }

    internal CachedString Resolve(ReadOnlySpan<byte> body)
    {
        if (_constant is not null)
            return _constant;

        var length = Fill(EventBody.Parse(body));
        ReadOnlySpan<byte> resolved = _scratch.AsSpan(0, length);
        if (_seen.TryGetValue(resolved, out var known))
            return known;

        if (_seen.Dictionary.Count >= MaxRemembered)
            _seen.Dictionary.Clear();

        var bytes = resolved.ToArray();
        return _seen.Dictionary[bytes] = new CachedString(Encoding.Latin1.GetString(bytes), bytes);
    }

    private int Fill(EventBody body)
    {
        var length = 0;
        foreach (var (part, literal) in _parts)
        {
            var piece = part switch
            {
                Part.Database => body.Database,
                Part.Event => body.Event,
                Part.Key => body.Key,
                Part.Class => ClassName(body.Event),
                _ => literal,
            };
            var fits = Math.Min(piece.Length, MaxBytes - length);
            piece[..fits].CopyTo(_scratch.AsSpan(length));
            length += fits;
            if (fits < piece.Length)
                Cut++;
        }

        return length;
    }

    private static ReadOnlySpan<byte> ClassName(ReadOnlySpan<byte> eventName) => EventClasses.Of(eventName) switch
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
        _ => "module"u8,
    };

    /// <summary>Splits at braces; a part in braces that is not known stays literal, braces and all.</summary>
    private static IEnumerable<(Part Part, string Text)> Split(string template)
    {
        var at = 0;
        while (at < template.Length)
        {
            var open = template.IndexOf('{', at);
            var close = open < 0 ? -1 : template.IndexOf('}', open);
            if (close < 0)
            {
                yield return (Part.Literal, template[at..]);
                yield break;
            }

            if (open > at)
                yield return (Part.Literal, template[at..open]);

            var text = template[open..(close + 1)];
            yield return (text switch { "{db}" => Part.Database, "{event}" => Part.Event, "{class}" => Part.Class, "{key}" => Part.Key, _ => Part.Literal }, text);
            at = close + 1;
        }
    }
}
