using System.Buffers.Text;
using System.Text;

namespace KeyEvt.Forwarder.Redis;

/// <summary>What did the node answer to one of our own few commands? A copy that owns its data; events are never turned into one.</summary>
internal sealed class RedisAnswer
{
    private const int MaxDepth = 16;

    private RedisAnswer(byte type, string text, IReadOnlyList<RedisAnswer> items)
    {
        Type = type;
        Text = text;
        Items = items;
    }

    /// <summary>The type byte of the frame.</summary>
    public byte Type { get; }

    /// <summary>The text of a line or a bulk; empty for null and for aggregates.</summary>
    public string Text { get; }

    /// <summary>The elements; for a map, keys and values alternate.</summary>
    public IReadOnlyList<RedisAnswer> Items { get; }

    public bool IsError => Type is (byte)'-' or (byte)'!';

    /// <summary>The first word of an error, such as NOPERM; empty if this is not an error.</summary>
    public string ErrorCode => IsError ? Text.Split(' ', 2)[0] : "";

    /// <summary>The value of a key in a map, or in an array of pairs.</summary>
    public string? Find(string key)
    {
        for (var i = 0; i + 1 < Items.Count; i += 2)
        {
            if (Items[i].Text == key) return Items[i + 1].Text;
        }

        return null;
    }

    /// <param name="frame">One whole frame, as measured by <see cref="FrameMeter"/>.</param>
    public static RedisAnswer Parse(ReadOnlySpan<byte> frame) => Take(ref frame, 0);

    private static RedisAnswer Take(ref ReadOnlySpan<byte> rest, int depth)
    {
        if (depth > MaxDepth) throw new RedisFaultException(RedisFaultKind.Protocol, "the node sent an answer nested too deep");

        var type = rest[0];
        var line = rest.IndexOf((byte)'\n');
        var head = rest[1..(line - 1)];
        rest = rest[(line + 1)..];
        switch (type)
        {
            case (byte)'$' or (byte)'!' or (byte)'=':
                var length = Number(head);
                if (length < 0) return new RedisAnswer(type, "", []);

                var text = Encoding.UTF8.GetString(rest[..length]);
                rest = rest[(length + 2)..];
                return new RedisAnswer(type, text, []);
            case (byte)'*' or (byte)'~' or (byte)'>':
                return new RedisAnswer(type, "", TakeItems(ref rest, Number(head), depth));
            case (byte)'%':
                return new RedisAnswer(type, "", TakeItems(ref rest, 2 * Number(head), depth));
            case (byte)'|':
                TakeItems(ref rest, 2 * Number(head), depth);
                return Take(ref rest, depth + 1);
            default:
                return new RedisAnswer(type, Encoding.UTF8.GetString(head), []);
        }
    }

    private static List<RedisAnswer> TakeItems(ref ReadOnlySpan<byte> rest, int count, int depth)
    {
        var items = new List<RedisAnswer>();
        for (var i = 0; i < count; i++) items.Add(Take(ref rest, depth + 1));
        return items;
    }

    private static int Number(ReadOnlySpan<byte> digits) => Utf8Parser.TryParse(digits, out int number, out _) ? number : -1;
}
