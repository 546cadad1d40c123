using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Fallback.Lists;
using StackExchange.Redis;

namespace KeyEvt.Simulation.Redis;

/// <summary>What do the scripts of the fallback storage do at a node? The same as their Lua, which the tests on real servers show.</summary>
internal static class ListSteps
{
    /// <exception cref="RedisServerException">The node answers with an error.</exception>
    public static RedisResult Run(VirtualNode node, string script, RedisKey[] keys, RedisValue[] arguments)
    {
        Demand(node);
        if (Fence(node, (string)keys[1]!, (string)arguments[^1]!) is { } refusal) return refusal;

        arguments = arguments[..^1];

        var key = (string)keys[0]!;
        return script switch
        {
            ListScripts.Append => Append(node, key, arguments),
            ListScripts.Read => Read(node, key, arguments),
            ListScripts.Remove => Remove(node, key, arguments),
            ListScripts.Count => Numbers(node.Data.List(key).Count),
            _ => throw new InvalidOperationException("a script that the node does not know"),
        };
    }

    /// <summary>Refuses what a node does not do as it stands.</summary>
    /// <exception cref="RedisServerException">It answers with an error.</exception>
    public static void Demand(VirtualNode node, bool isWrite = true)
    {
        if (node.Mood == NodeMood.Busy) throw Error("BUSY Redis is busy running a script.");
        if (node.IsLoading) throw Error("LOADING Redis is loading the dataset in memory");
        if (isWrite && node.Master is not null) throw Error("READONLY You can't write against a read only replica.");
    }

    private static RedisServerException Error(string text) => new(RedisErrorKind.UnknownError, CommandFlags.None, text);

    private static RedisResult? Fence(VirtualNode node, string key, string term)
    {
        if (node.Data.Strings.TryGetValue(key, out var seen) && seen == term) return null;
        if (seen is not null && long.Parse(seen, CultureInfo.InvariantCulture) > long.Parse(term, CultureInfo.InvariantCulture))
        {
            return RedisResult.Create([Number(-1), RedisResult.Create((RedisValue)seen)]);
        }

        node.SetString(key, term);
        return null;
    }

    private static RedisResult Append(VirtualNode node, string key, RedisValue[] arguments)
    {
        var list = node.Data.List(key);
        var entries = arguments[3..].Select(static one => (byte[])one!).ToList();
        var isThere = entries.Count > 0 && arguments[2] == 1 && list.Count >= entries.Count && list[^1].AsSpan().SequenceEqual(entries[^1]) && list[^entries.Count].AsSpan().SequenceEqual(entries[0]);
        if (!isThere && entries.Count > 0) node.ChangeList(key, "rpush", to => to.AddRange(entries));
        var (cap, trimmed) = ((long)arguments[0], 0);
        if (cap > 0 && list.Count > cap)
        {
            trimmed = (int)Math.Min(list.Count - cap, (long)arguments[1]);
            node.ChangeList(key, "ltrim", to => to.RemoveRange(0, trimmed));
        }

        return Numbers(list.Count, trimmed);
    }

    private static RedisResult Read(VirtualNode node, string key, RedisValue[] arguments)
    {
        var list = node.Data.List(key);
        var from = (int)arguments[0];
        if (arguments.Length > 3 && !(IsAt(list, 0, arguments[3]) && (from == 1 || IsAt(list, from - 1, arguments[4]))))
        {
            return Entries(list.Count, isExpected: false, []);
        }

        var read = new List<byte[]>();
        for (var (i, bytes) = (from, 0L); i < Math.Min(from + (int)arguments[1], list.Count); i++)
        {
            read.Add(list[i]);
            bytes += list[i].Length;
            if (bytes >= (long)arguments[2]) break;
        }

        return Entries(list.Count, isExpected: true, read);
    }

    private static RedisResult Remove(VirtualNode node, string key, RedisValue[] arguments)
    {
        var list = node.Data.List(key);
        var (count, length) = ((int)arguments[0], (long)arguments[3]);
        var isFront = (length < 0 || list.Count == length) && IsAt(list, 0, arguments[1]) && (count == 1 || IsAt(list, count - 1, arguments[2]));
        if (isFront) node.ChangeList(key, "ltrim", from => from.RemoveRange(0, Math.Min(count, from.Count)));
        return Numbers(list.Count, isFront ? 1 : 0);
    }

    private static bool IsAt(List<byte[]> list, int index, RedisValue head) => index < list.Count && list[index].AsSpan().StartsWith((byte[])head!);

    private static RedisResult Entries(int length, bool isExpected, List<byte[]> entries) =>
        RedisResult.Create([Number(length), Number(isExpected ? 1 : 0), RedisResult.Create(entries.Select(static one => RedisResult.Create((RedisValue)one)).ToArray())]);

    private static RedisResult Numbers(params ReadOnlySpan<long> numbers)
    {
        var results = new RedisResult[numbers.Length];
        for (var i = 0; i < numbers.Length; i++) results[i] = Number(numbers[i]);
        return RedisResult.Create(results);
    }

    private static RedisResult Number(long number) => RedisResult.Create((RedisValue)number);

    /// <summary>The message id in a stored entry.</summary>
    public static string IdOf(byte[] entry) => Encoding.Latin1.GetString(entry.AsSpan(1, Array.IndexOf(entry, (byte)'\n') - 1));

    /// <summary>The body in a stored entry.</summary>
    public static string BodyOf(byte[] entry) => Encoding.Latin1.GetString(entry.AsSpan(Array.IndexOf(entry, (byte)'\n') + 1));
}
