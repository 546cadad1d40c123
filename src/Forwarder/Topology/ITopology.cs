namespace KeyEvt.Forwarder.Topology;

/// <summary>Which nodes are there now, and how does one learn of a change? Thread safe.</summary>
public interface ITopology
{
    TopologySnapshot Current { get; }

    /// <summary>Whether the only node is part of a cluster, and is being asked which slots it serves.</summary>
    bool AreSlotsAwaited => false;

    /// <summary>A task that completes at the next change. Read it before <see cref="Current"/>, so that no change is missed.</summary>
    Task Changed { get; }

    /// <summary>
    /// Asks for a look at once instead of at the next second. For anything that a change would explain: a lost connection, MOVED, another role.
    /// </summary>
    void Hint(string reason);
}
