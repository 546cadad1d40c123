using System.Collections.Concurrent;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder.Membership;

/// <summary>Which of the members are masters? Compares what the topology says of a node with what the node says of itself.</summary>
/// <remarks>Only the loop of <see cref="FeedSet"/> calls <see cref="Observe"/>; the questions may be asked on any thread.</remarks>
internal sealed class MasterSelection(ITopology topology)
{
    /// <summary>The nodes that have called themselves replicas since the topology last named them as masters, by id. The values mean nothing.</summary>
    private readonly ConcurrentDictionary<string, bool> _saidReplica = new();

    /// <summary>
    /// The feeds of the nodes that the topology named as masters at the last look, and each one's <see cref="TopologyNode.Epoch"/>; null before the first one. Only the loop of
    /// <see cref="FeedSet"/> uses it.
    /// </summary>
    private Dictionary<NodeFeed, long>? _named;

    /// <summary>Whether the topology names the node as one that clients write to. A failing master of a cluster that has no slots has been replaced.</summary>
    public bool IsServing(TopologyNode node) =>
        node.Role != NodeRole.Replica && (topology.Current.Shape != UpstreamShape.Cluster || node.Slots.Count > 0 || !node.IsFailing);

    /// <summary>
    /// Whether the node has been promoted before the topology says so: it called itself a replica before, and calls itself a master now. Such a node
    /// is not a stale master.
    /// </summary>
    public bool IsPromoted(FeedMember member) =>
        !IsServing(member.Node) && member.Feed.Status.Role == NodeRole.Master && _saidReplica.ContainsKey(member.Node.Id);

    /// <summary>Notes which nodes call themselves replicas now, and tells a feed when its node is newly named as a master, or is named no more.</summary>
    /// <param name="changedAfter">See <see cref="TopologySnapshot.ChangedAfter"/>.</param>
    public void Observe(IReadOnlyList<FeedMember> members, ClockReading changedAfter)
    {
        var named = members.Where(member => IsServing(member.Node) && MayTakeWrites(member.Node)).ToDictionary(member => member.Feed, member => member.Node.Epoch);
        if (_named is { Count: > 0 } before)
        {
            Compare(members, before, named, changedAfter);
        }
        else
        {
            foreach (var feed in named.Keys) feed.Named(true, default, isFirst: true);
        }

        if (named.Count > 0) _named = named;
        foreach (var member in members)
        {
            if (IsServing(member.Node)) _saidReplica.TryRemove(member.Node.Id, out _);
            else if (member.Feed.Status.Role == NodeRole.Replica) _saidReplica[member.Node.Id] = true;
        }
    }

    /// <summary>For a moment after a failover, other nodes of a cluster name the old master as one without slots.</summary>
    private bool MayTakeWrites(TopologyNode node) => topology.Current.Shape != UpstreamShape.Cluster || node.Slots.Count > 0;

    private static void Compare(IReadOnlyList<FeedMember> members, Dictionary<NodeFeed, long> before, Dictionary<NodeFeed, long> now, ClockReading changedAfter)
    {
        foreach (var member in members)
        {
            var isNamed = now.TryGetValue(member.Feed, out var epoch);
            var wasNamed = before.ContainsKey(member.Feed);
            if (wasNamed != isNamed) member.Feed.Named(isNamed, changedAfter);

            // If the master is another one, one failover is seen. A failed attempt takes a number too, so two numbers may be one failover only.
            if (isNamed && epoch - before.Values.Max() > (wasNamed ? 0 : 1)) member.Feed.ReplacedUnseen(changedAfter);
        }
    }

    /// <summary>
    /// The master of an upstream with one master; null while no node says that it is a master. A node that was promoted while its feed was listening
    /// comes first, because the feed knows that before Sentinel says so. Next comes the node that Sentinel names.
    /// </summary>
    /// <remarks>
    /// The latest statement alone would mislead: a master that was frozen calls itself master again when it wakes, after its successor has. A
    /// promoted node counts as soon as it calls itself master, even while its earlier events are still compared with those of the old master.
    /// Whatever is written to the old master from then on is thrown away.
    /// </remarks>
    public RedisAddress? MasterAmong(IReadOnlyList<FeedMember> members) => members
        .Where(member => member.Feed.Status is { Role: NodeRole.Master, State: FeedState.Subscribed, MasterSince: not null }
            || (member.Feed.Status is { Role: NodeRole.Master, State: FeedState.HeldBack } && IsPromoted(member)))
        .OrderByDescending(member => IsPromoted(member) ? 2 : IsServing(member.Node) ? 1 : 0)
        .ThenByDescending(member => member.Feed.Status.MasterSince)
        .Select(member => member.Node.Address).FirstOrDefault();
}
