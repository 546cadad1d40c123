using System.Text;
using KeyEvt.Resp;
using KeyEvt.Resp.Replies;

namespace KeyEvt.Forwarder.Redis;

/// <summary>What did a Redis answer to one command? A copy of a whole reply or push that owns its data. Notifications are read in place instead.</summary>
public sealed class RedisAnswer
{
    private const int MaxDepth = 16;

    private static readonly RedisAnswer Null = new(false, "", []);

    private RedisAnswer(bool isError, string text, IReadOnlyList<RedisAnswer> items) => (IsError, Text, Items) = (isError, text, items);

    public bool IsError { get; }

    /// <summary>The text of a line or a bulk string, numbers as they were sent; empty for null and for aggregates.</summary>
    public string Text { get; }

    /// <summary>The elements; for a map, keys and values alternate.</summary>
    public IReadOnlyList<RedisAnswer> Items { get; }

    /// <summary>The first word of an error, such as NOPERM; empty if this is not an error.</summary>
    public string ErrorCode => IsError ? Text.Split(' ', 2)[0] : "";

    /// <summary>Whether this user may not use the command.</summary>
    public bool IsNoPermission => ErrorCode == "NOPERM";

    /// <summary>Whether the command does not exist there: it was renamed, is too new, or was removed by the operator of a managed Redis.</summary>
    public bool IsUnknownCommand => IsError && Text.StartsWith("ERR unknown command", StringComparison.OrdinalIgnoreCase);

    /// <summary>The value of a key in a map, or in an array that stands for a map; null if there is no such key.</summary>
    public RedisAnswer? Value(string key)
    {
        for (var i = 0; i + 1 < Items.Count; i += 2)
        {
            if (Items[i].Text == key) return Items[i + 1];
        }

        return null;
    }

    /// <summary>The text of <see cref="Value"/>; null if there is no such key.</summary>
    public string? Find(string key) => Value(key)?.Text;

    /// <param name="frame">One whole frame, as measured by <see cref="FrameMeter"/>.</param>
    /// <exception cref="RedisFaultException">The frame is malformed, or nested deeper than any answer of Redis.</exception>
    internal static RedisAnswer Parse(ReadOnlySpan<byte> frame)
    {
        try
        {
            var reader = new RespReplyReader(frame);
            return Take(ref reader, 0);
        }
        catch (RespProtocolException e)
        {
            throw new RedisFaultException(RedisFaultKind.Protocol, $"the node sent an answer that is malformed: {e.Message}");
        }
    }

    private static RedisAnswer Take(ref RespReplyReader reader, int depth)
    {
        if (depth > MaxDepth) throw new RedisFaultException(RedisFaultKind.Protocol, "the node sent an answer nested too deep");

        switch (reader.Kind)
        {
            case RespKind.Error:
                return new RedisAnswer(true, Encoding.UTF8.GetString(reader.ReadError()), []);
            case RespKind.Null:
                reader.ReadNull();
                return Null;
            case RespKind.Map:
                return TakeItems(ref reader, 2 * reader.ReadMapHeader(), depth);
            case RespKind.Array or RespKind.Set or RespKind.Push:
                return TakeItems(ref reader, reader.ReadArrayHeader(), depth);
            default:
                return new RedisAnswer(false, Encoding.UTF8.GetString(reader.ReadText()), []);
        }
    }

    private static RedisAnswer TakeItems(ref RespReplyReader reader, int count, int depth)
    {
        var items = new List<RedisAnswer>(count);
        for (var i = 0; i < count; i++) items.Add(Take(ref reader, depth + 1));
        return new RedisAnswer(false, "", items);
    }
}
