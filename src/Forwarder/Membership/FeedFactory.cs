using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Membership;

/// <summary>How is the feed of one node created? Gives it the node's address, and ways to ask about the other nodes if there may be any.</summary>
/// <param name="options">The options that all nodes share.</param>
/// <param name="shelf">Keeps the states of the nodes' streams for the next start; null if they are not kept.</param>
/// <param name="instance">Names this program in its group. May be empty.</param>
/// <param name="group">The group that shares the streams, and what makes the duties of one feed.</param>
internal sealed class FeedFactory(
    ITopology topology, NodeFeedOptions options, IEventSink sink, GapLog gaps, TimeProvider time, ILogger logger, IRedisTransport transport, CoverageGateRegistry clients, CheckpointRegistry? shelf, string instance,
    GroupMembership group)
{
    /// <summary>The random part of the name of this program, the same in all streams.</summary>
    private readonly string _nonce = options.Random.GetHexString(16, lowercase: true);

    /// <param name="succession">Answers the feed's questions about other nodes.</param>
    /// <param name="cameLater">Whether the node was not among the first that were found.</param>
    public NodeFeed Make(TopologyNode node, FeedSuccession succession, bool cameLater)
    {
        var gate = clients.Of(node.Address);
        if (!options.HasSuccessors)
        {
            return new NodeFeed(node.Address, options, sink, gaps, time, logger, group, null, transport, gate, instance, _nonce)
            {
                StateTag = () => StateTagOf(node.Id),
                AreSlotsAwaited = () => topology.AreSlotsAwaited,
                Shelf = shelf,
            };
        }

        return new NodeFeed(node.Address, options, sink, gaps, time, logger, group, OrderAt(node, succession), transport, gate, instance, _nonce)
        {
            HeardBefore = () => succession.HeardBefore(node.Id),
            Predecessor = () => succession.SentLastByMasterOfAsync(node.Id),
            Successor = () => succession.SentBySuccessorOfAsync(node.Id),
            StateTag = () => StateTagOf(node.Id),
            OthersFirst = () => succession.OthersFirstAsync(node.Id),
            Shelf = shelf,
            CameLater = cameLater,
            Estates = (() => succession.EstateOfMasterOf(node.Id), () => succession.DoubtfulOfMasterOf(node.Id), succession.LeaveEstates),
        };
    }

    /// <summary>
    /// The slots that a cluster's master serves: true at the index of each served slot. Null if there is no cluster, and for a node that was promoted
    /// before the topology knows it, because its slots are unknown then.
    /// </summary>
    public bool[]? SlotsOf(TopologyNode node)
    {
        if (topology.Current.Shape != UpstreamShape.Cluster || node.Role != NodeRole.Master) return null;

        var slots = new bool[SlotTag.Slots];
        foreach (var range in node.Slots) Array.Fill(slots, true, range.First, range.Count);
        return slots;
    }

    /// <summary>Who comes first in a node's stream: the holder of the master that it replicates or has replaced; then, in a cluster, in an order of that master's own.</summary>
    private MemberOrder OrderAt(TopologyNode node, FeedSuccession succession) => new(instance.Length == 0 ? _nonce : $"{instance}-{_nonce}")
    {
        Preferred = () => succession.HolderOfMasterOf(node.Id),
        Seed = () => topology.Current.Shape == UpstreamShape.Cluster ? succession.MasterIdOf(node.Id) ?? node.Id : null,
    };

    /// <summary>
    /// A hash tag for the key of the state, in a slot that the node's shard serves; null if the shard serves none. The shard's last slot is used, since
    /// resharding tools move slots from the first one on.
    /// </summary>
    private string? StateTagOf(string nodeId)
    {
        var nodes = topology.Current.Nodes;
        var node = nodes.FirstOrDefault(node => node.Id == nodeId);
        var master = node is { Role: NodeRole.Replica } ? nodes.FirstOrDefault(one => one.Id == node.MasterId) : node;
        return master is { Slots: [.., var last] } ? SlotTag.Of(last.Last) : null;
    }
}
