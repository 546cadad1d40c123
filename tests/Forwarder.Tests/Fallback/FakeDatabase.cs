using System.Reflection;
using KeyEvt.Forwarder.Fallback.Lists;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>A node with one list, in memory, as far as events are appended and counted. A proxy, as the client library's interface has hundreds of methods.</summary>
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
        nameof(IDatabase.ScriptEvaluateAsync) when (string)args![0]! == ListScripts.Append => Answer(() => Append((RedisValue[])args[2]!)),
        nameof(IDatabase.ListLengthAsync) => Answer(() => (long)Entries.Count),
        nameof(IDatabase.ListGetByIndexAsync) => Answer(() => Entries.Count == 0 ? RedisValue.Null : (RedisValue)Entries[^1]),
        _ => throw new NotSupportedException($"{targetMethod}"),
    };

    /// <summary>See <see cref="ListScripts.Append"/>.</summary>
    private RedisResult Append(RedisValue[] arguments)
    {
        string[] entries = [.. arguments[3..].Select(entry => entry.ToString())];
        Batches.Add(entries.Length);
        Entries.AddRange(entries);
        var (cap, most) = ((long)arguments[0], (long)arguments[1]);
        var trimmed = cap > 0 ? Math.Clamp(Entries.Count - cap, 0, most) : 0;
        Entries.RemoveRange(0, (int)trimmed);
        return RedisResult.Create([RedisResult.Create((RedisValue)Entries.Count), RedisResult.Create((RedisValue)trimmed)]);
    }

    private Task<T> Answer<T>(Func<T> step) => Error is null ? Task.FromResult(step()) : Task.FromException<T>(Error);
}
