namespace KeyEvt.Forwarder.Topology;

/// <summary>Which nodes are there now, and how does one learn of a change? Thread safe.</summary>
public interface ITopology
{
    TopologySnapshot Current { get; }

    /// <summary>Completes at the next change after this was read: read it before <see cref="Current"/>.</summary>
    Task Changed { get; }

    /// <summary>Something was seen that a change would explain (a lost connection, MOVED, another role): look now instead of at the next second.</summary>
    void Hint(string reason);
}
