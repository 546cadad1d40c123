using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Which nodes are there at one moment? Immutable.</summary>
/// <param name="Version">Grows with every change.</param>
public sealed record TopologySnapshot(UpstreamShape Shape, long Version, IReadOnlyList<TopologyNode> Nodes)
{
    /// <summary>What this snapshot tells differently from the one before has happened after this moment.</summary>
    internal ClockReading ChangedAfter { get; init; }

    public IEnumerable<TopologyNode> Masters => Nodes.Where(node => node.Role != NodeRole.Replica);

    /// <summary>The master of an upstream with one master; null while none is known.</summary>
    public TopologyNode? Master => Shape == UpstreamShape.Cluster ? null : Masters.FirstOrDefault();

    /// <summary>The master that serves a slot of a cluster; null while no node serves it.</summary>
    public TopologyNode? MasterOf(int slot) => Masters.FirstOrDefault(node => node.Serves(slot));

    /// <summary>Whether these nodes are the same ones, in the same order and with the same values.</summary>
    internal bool HasSameNodes(IReadOnlyList<TopologyNode> nodes) =>
        nodes.Count == Nodes.Count && nodes.Zip(Nodes).All(pair =>
            pair.First with { Slots = [], Hosts = [] } == pair.Second with { Slots = [], Hosts = [] } // lists are compared by content below
            && pair.First.Slots.SequenceEqual(pair.Second.Slots)
            && pair.First.Hosts.SequenceEqual(pair.Second.Hosts));
}
