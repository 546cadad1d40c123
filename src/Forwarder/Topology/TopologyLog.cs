using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Topology;

/// <summary>What does watching the topology say in the log? Event ids 2400 to 2499.</summary>
internal static partial class TopologyLog
{
    [LoggerMessage(2400, LogLevel.Information, "topology {Version}: {Nodes}")]
    public static partial void Changed(ILogger logger, long version, string nodes);

    [LoggerMessage(2401, LogLevel.Warning, "the topology cannot be asked for: {Reason}; what was known stays in force")]
    public static partial void Unknown(ILogger logger, string reason);

    [LoggerMessage(2402, LogLevel.Debug, "looking at the topology at once: {Reason}")]
    public static partial void Hinted(ILogger logger, string reason);

    [LoggerMessage(2403, LogLevel.Warning, "{Node} is a node of a cluster: only its own events are heard; use redis+cluster:// for those of all nodes")]
    public static partial void IsCluster(ILogger logger, string node);

    [LoggerMessage(2404, LogLevel.Warning, "{Node} is a replica: its events are held back until it is a master; name the master, or use redis+sentinel://")]
    public static partial void IsReplica(ILogger logger, string node);

    [LoggerMessage(2407, LogLevel.Warning, "changes of the topology are found by looking each second, as nobody tells of them: {Reason}")]
    public static partial void Deaf(ILogger logger, string reason);

    [LoggerMessage(2406, LogLevel.Critical, "watching the topology died of a fault in the program")]
    public static partial void LoopDied(ILogger logger, Exception fault);

    [LoggerMessage(2408, LogLevel.Critical, "'{Task}' died of a fault in the program")]
    public static partial void TaskDied(ILogger logger, Exception fault, string task);

    [LoggerMessage(2405, LogLevel.Information, "{Node} is the master now, by its own word and that of those who watch it; {Old} is no longer forwarded from")]
    public static partial void Succeeded(ILogger logger, string node, string old);
}
