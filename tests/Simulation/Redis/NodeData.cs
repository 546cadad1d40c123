namespace KeyEvt.Simulation.Redis;

/// <summary>What does a node remember? Only what the engine keeps there: strings, and lists of entries. And which keys clients have written last, which an AOF replays.</summary>
internal sealed class NodeData
{
    public Dictionary<string, string> Strings { get; private init; } = [];

    public Dictionary<string, List<byte[]>> Lists { get; private init; } = [];

    public List<string> Written { get; private init; } = [];

    /// <summary>A list; empty if there is none.</summary>
    public List<byte[]> List(string key) => Lists.TryGetValue(key, out var list) ? list : Lists[key] = [];

    public NodeData Copy() => new()
    {
        Strings = new Dictionary<string, string>(Strings),
        Lists = Lists.ToDictionary(one => one.Key, one => new List<byte[]>(one.Value)),
        Written = [.. Written.TakeLast(20)],
    };
}
