using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Forwarder.Membership;

/// <summary>What do metrics report about the group, for each node?</summary>
internal static class GroupMetrics
{
    private const string Node = "node";

    private static readonly MetricDefinition Holder = new(MetricKind.Gauge, "keyevt.group.holder", "", "1 while this program delivers the events of the node. Over all members of a group it is 1 together for each master, and 0 for a replica.", Node);
    private static readonly MetricDefinition Known = new(MetricKind.Gauge, "keyevt.group.known", "", "1 while this program knows which member delivers. It is 0 for a moment after a start or a lost subscription.", Node);
    private static readonly MetricDefinition Members = new(MetricKind.Gauge, "keyevt.group.members", "{member}", "Members of the group that are there, this one included.", Node);
    private static readonly MetricDefinition Ring = new(MetricKind.Gauge, "keyevt.group.ring", "By", "Events that this program keeps because the holder has not settled them yet.", Node);
    private static readonly MetricDefinition ReachesBack = new(MetricKind.Gauge, "keyevt.group.reaches_back", "", "1 while this program could go on in the place of the holder without a gap.", Node);
    private static readonly MetricDefinition Handovers = new(MetricKind.Counter, "keyevt.group.handovers", "{handover}", "How often this program has become the holder.", Node);
    private static readonly MetricDefinition LastHandover = new(MetricKind.Gauge, "keyevt.group.handover.last", "s", "How long the last handover to this program took, from the last word of the holder before it; 0: there was none before it.", Node);
    private static readonly MetricDefinition Unread = new(MetricKind.Counter, "keyevt.group.messages.unread", "{message}", "Messages of the group that were not understood: of another version, or not sealed with the secret.", Node);

    public static IReadOnlyList<MetricDefinition> Definitions { get; } = [Holder, Known, Members, Ring, ReachesBack, Handovers, LastHandover, Unread];

    public static void Add(Meter meter, FeedSet feeds)
    {
        meter.ObserveMany(Holder, () => ByNode(feeds, static status => status is { IsHolder: true, IsServing: true } ? 1 : 0));
        meter.ObserveMany(Known, () => ByNode(feeds, static status => status.IsKnown ? 1 : 0));
        meter.ObserveMany(Members, () => ByNode(feeds, static status => status.Peers.Count));
        meter.ObserveMany(Ring, () => ByNode(feeds, static status => status.KeptBytes));
        meter.ObserveMany(ReachesBack, () => ByNode(feeds, static status => status.ReachesBack ? 1 : 0));
        meter.ObserveMany(Handovers, () => ByNode(feeds, static status => status.Handovers));
        meter.ObserveMany(LastHandover, () => ByNode(feeds, static status => status.LastHandover?.TotalSeconds ?? 0));
        meter.ObserveMany(Unread, () => ByNode(feeds, static status => status.OtherVersions + status.Unreadable));
    }

    private static IEnumerable<Measurement<double>> ByNode(FeedSet feeds, Func<StreamGroupStatus, double> read) =>
        feeds.Members.Select(member => new Measurement<double>(read(member.Feed.GroupStatus), new KeyValuePair<string, object?>(Node, FeedMetrics.NameOf(member.Node))));
}
