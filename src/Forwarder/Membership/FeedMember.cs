using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder.Membership;

/// <summary>One node of the topology and the feed that listens to it.</summary>
internal sealed record FeedMember(TopologyNode Node, NodeFeed Feed);
