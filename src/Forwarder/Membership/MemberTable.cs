using System.Collections.Immutable;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder.Membership;

/// <summary>Which nodes have a feed? Owns the list of members, what all of them are to subscribe to, and who replicated from whom.</summary>
/// <remarks>
/// Changes are made under one lock, so that a new feed never misses a <see cref="Want"/> or a <see cref="Start"/>. Everybody may read the list at any time: it is
/// replaced as a whole.
/// </remarks>
/// <param name="newFeed">Makes the feed of a node that has none. It is called under the lock.</param>
/// <param name="startFeed">Starts a feed. It is called under the lock.</param>
/// <param name="clients">One gate for each node: it holds requests of clients back while the node is not covered.</param>
internal sealed class MemberTable(Func<TopologyNode, NodeFeed> newFeed, Action<NodeFeed> startFeed, CoverageGateRegistry clients)
{
    /// <summary>Guards all changes. While it is held, feeds are called, which take their own locks. So nobody takes it who holds the lock of a feed.</summary>
    private readonly Lock _gate = new();

    /// <summary>
    /// The last known master of each replica, by node id. A promoted node keeps its entry: it names the master that it replaces. Replaced under <see cref="_gate"/>; read by any
    /// thread without it, also by one that holds the lock of a feed.
    /// </summary>
    private volatile ImmutableDictionary<string, string> _masterOf = [];

    /// <summary>Immutable snapshots. Replaced under <see cref="_gate"/>; read by any thread without it.</summary>
    private volatile IReadOnlyList<FeedMember> _members = [];
    private EventClass _wanted;
    private bool _isStarted;

    /// <summary>Every node with its feed, in the order of the topology.</summary>
    public IReadOnlyList<FeedMember> Current => _members;

    /// <summary>Starts all feeds, and from now on each new one.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _isStarted = true;
            foreach (var member in _members) startFeed(member.Feed);
        }
    }

    /// <summary>Sets the event classes that all feeds subscribe to, also those that are made later.</summary>
    public void Want(EventClass classes)
    {
        lock (_gate)
        {
            _wanted = classes;
            clients.IsWanted = classes != EventClass.None;
            foreach (var member in _members) member.Feed.Want(classes);
        }
    }

    /// <summary>Makes a feed for each node that has none, and drops the members whose node is gone or has moved to another address.</summary>
    /// <param name="servedSlots">The slots that a node serves, by slot number; null where slots do not matter.</param>
    /// <returns>The dropped members. Their feeds still run; the caller ends them.</returns>
    public IReadOnlyList<FeedMember> Update(TopologySnapshot snapshot, Func<TopologyNode, bool[]?> servedSlots)
    {
        lock (_gate)
        {
            if (snapshot.Shape != UpstreamShape.Standalone)
            {
                var replicas = snapshot.Nodes.Where(node => node is { Role: NodeRole.Replica, MasterId: not null });
                _masterOf = _masterOf.SetItems(replicas.Select(node => KeyValuePair.Create(node.Id, node.MasterId!)));
            }

            var old = _members.ToDictionary(member => member.Node.Id);
            IReadOnlyList<FeedMember> members = [.. snapshot.Nodes.Select(node => MemberFor(node, old))];
            foreach (var member in members)
            {
                if (!old.TryGetValue(member.Node.Id, out var before) || HasOtherSlots(before, member))
                {
                    member.Feed.Serves(servedSlots(member.Node));
                }

                clients.Of(member.Node.Address).IsOfReplica = member.Node.Role == NodeRole.Replica;
            }

            if (snapshot.Nodes.Any(node => node.Role == NodeRole.Replica))
            {
                foreach (var member in members) member.Feed.RememberForSuccessors();
            }

            _members = members; // last, so that each member knows its slots and its role before anybody sees it
            return [.. old.Values.Where(member => members.All(one => one.Feed != member.Feed))];
        }
    }

    /// <summary>The master that this node replicated from last; null when it never was a replica, or when that master has no feed.</summary>
    public FeedMember? LastMasterOf(string nodeId) => _masterOf.TryGetValue(nodeId, out var masterId) ? _members.FirstOrDefault(member => member.Node.Id == masterId) : null;

    /// <summary>Whether the other node replicates from this master, or is the old master that this one replaces.</summary>
    public bool IsBehind(FeedMember other, FeedMember master) =>
        other.Node.MasterId == master.Node.Id || (_masterOf.TryGetValue(master.Node.Id, out var old) && old == other.Node.Id);

    /// <summary>Keeps the node's feed, or creates one. A node with a new address gets a new feed, since a feed connects to one address only.</summary>
    private FeedMember MemberFor(TopologyNode node, Dictionary<string, FeedMember> old)
    {
        if (old.TryGetValue(node.Id, out var known) && known.Node.Address == node.Address) return known with { Node = node };

        var feed = newFeed(node);
        feed.Want(_wanted);
        if (_isStarted) startFeed(feed);
        return new FeedMember(node, feed);
    }

    private static bool HasOtherSlots(FeedMember before, FeedMember now) =>
        before.Feed != now.Feed || !before.Node.Slots.SequenceEqual(now.Node.Slots) || before.Node.Role != now.Node.Role;
}
