using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Topology;

/// <summary>What does the topology know of one node?</summary>
public sealed record TopologyNode
{
    /// <summary>Identifies the node: the 40 digits of a cluster node's id, which survive a change of its address. Elsewhere its address.</summary>
    public required string Id { get; init; }

    /// <summary>The node's address, with the login and scheme of the upstream address that the user gave.</summary>
    public required RedisAddress Address { get; init; }

    /// <summary>
    /// The hosts by which others may name it, at the port of <see cref="Address"/>: its IP address, and its host name if it has announced one.
    /// </summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    public required NodeRole Role { get; init; }

    /// <summary>For a replica: its master's <see cref="Id"/>, if known.</summary>
    public string? MasterId { get; init; }

    /// <summary>A cluster master's slots, in order.</summary>
    public IReadOnlyList<SlotRange> Slots { get; init; } = [];

    /// <summary>Whether the Sentinels or the other nodes cannot reach it (Sentinel: s_down or o_down; cluster: fail or fail?).</summary>
    public bool IsFailing { get; init; }

    /// <summary>Behind Sentinels, for the master: under which number they have agreed on it. Each failover has a higher one.</summary>
    public long Epoch { get; init; }

    public bool Serves(int slot) => Slots.Any(range => range.Contains(slot));

    /// <summary>A short description of the node for the log.</summary>
    internal string Describe() =>
        $"{Address} {Role.ToString().ToLowerInvariant()}{(Slots.Count > 0 ? $" of {Slots.Sum(range => range.Count)} slots" : "")}{(IsFailing ? " (failing)" : "")}";
}
