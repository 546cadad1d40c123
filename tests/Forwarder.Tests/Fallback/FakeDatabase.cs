using System.Reflection;
using KeyEvt.Forwarder.Fallback.Lists;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>A node with one list, in memory, as far as events are appended, read and counted, by whoever holds the list. A proxy, as the client library's interface has hundreds of methods.</summary>
public class FakeDatabase : DispatchProxy
{
    public IDatabase Database => (IDatabase)(object)this;

    public List<string> Entries { get; } = [];

    /// <summary>How many entries each step brought.</summary>
    public List<int> Batches { get; } = [];

    /// <summary>What the node answers instead.</summary>
    public Exception? Error { get; set; }

    public static FakeDatabase Made() => (FakeDatabase)(object)Create<IDatabase, FakeDatabase>();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod?.Name switch
    {
        nameof(IDatabase.ScriptEvaluateAsync) when (string)args![0]! == ListScripts.Append => Answer(() => Append(((RedisValue[])args[2]!)[..^1])),
        nameof(IDatabase.ScriptEvaluateAsync) when (string)args![0]! == ListScripts.Read => Answer(() => Read(((RedisValue[])args[2]!)[..^1])),
        nameof(IDatabase.ScriptEvaluateAsync) when (string)args![0]! == ListScripts.Remove => Answer(() => Remove(((RedisValue[])args[2]!)[..^1])),
        nameof(IDatabase.ScriptEvaluateAsync) when (string)args![0]! == ListScripts.Count => Answer(() => RedisResult.Create([RedisResult.Create((RedisValue)Entries.Count)])),
        nameof(IDatabase.ListLengthAsync) => Answer(() => (long)Entries.Count),
        nameof(IDatabase.ListGetByIndexAsync) => Answer(() => Entries.Count == 0 ? RedisValue.Null : (RedisValue)Entries[^1]),
        _ => throw new NotSupportedException($"{targetMethod}"),
    };

    /// <summary>See <see cref="ListScripts.Append"/>.</summary>
    private RedisResult Append(RedisValue[] arguments)
    {
        string[] entries = [.. arguments[3..].Select(entry => entry.ToString())];
        Batches.Add(entries.Length);
        if ((int)arguments[2] == 0 || !Entries.TakeLast(entries.Length).SequenceEqual(entries)) Entries.AddRange(entries);
        var (cap, most) = ((long)arguments[0], (long)arguments[1]);
        var trimmed = cap > 0 ? Math.Clamp(Entries.Count - cap, 0, most) : 0;
        Entries.RemoveRange(0, (int)trimmed);
        return RedisResult.Create([RedisResult.Create((RedisValue)Entries.Count), RedisResult.Create((RedisValue)trimmed)]);
    }

    /// <summary>See <see cref="ListScripts.Read"/>. Entries are compared as a whole, and their bytes are not counted.</summary>
    private RedisResult Read(RedisValue[] arguments)
    {
        var (offset, most) = ((int)arguments[0], (int)arguments[1]);
        var isRight = arguments.Length == 3 || (Entries[0] == arguments[3].ToString() && Entries[offset - 1] == arguments[4].ToString());
        RedisValue[] read = isRight ? [.. Entries.Skip(offset).Take(most).Select(entry => (RedisValue)entry)] : [];
        return RedisResult.Create([RedisResult.Create((RedisValue)Entries.Count), RedisResult.Create((RedisValue)(isRight ? 1 : 0)), RedisResult.Create(read)]);
    }

    /// <summary>See <see cref="ListScripts.Remove"/>. Entries are compared as a whole.</summary>
    private RedisResult Remove(RedisValue[] arguments)
    {
        var (count, length) = ((int)arguments[0], (int)arguments[3]);
        var isFront = (length < 0 || Entries.Count == length) && Entries[0] == arguments[1].ToString() && Entries[count - 1] == arguments[2].ToString();
        if (isFront) Entries.RemoveRange(0, count);
        return RedisResult.Create([RedisResult.Create((RedisValue)Entries.Count), RedisResult.Create((RedisValue)(isFront ? 1 : 0))]);
    }

    private Task<T> Answer<T>(Func<T> step) => Error is null ? Task.FromResult(step()) : Task.FromException<T>(Error);
}
