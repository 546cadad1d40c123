using System.Diagnostics.Metrics;
using System.Globalization;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder.Membership;

/// <summary>What do metrics report about the nodes, their feeds and their gaps? A node is named by its id, without a login.</summary>
internal sealed class FeedMetrics
{
    private const string Node = "node";

    private static readonly MetricDefinition Subscribed = new(MetricKind.Gauge, "keyevt.feed.subscribed", "", "1 while the node has confirmed the subscription to its notifications.", Node);
    private static readonly MetricDefinition State = new(MetricKind.Gauge, "keyevt.feed.state", "", "Where in its life the feed is: the state that holds is 1. held_back: as subscribed, but of a replica, whose notifications are counted and not passed on. silent: nothing comes, though an answer is due.", Node, "state");
    private static readonly MetricDefinition Role = new(MetricKind.Gauge, "keyevt.feed.role", "", "What the node says it is: the role that holds is 1.", Node, "role");
    private static readonly MetricDefinition FlagsMissing = new(MetricKind.Gauge, "keyevt.feed.flags.missing", "", "1 while the feed is subscribed and wanted events do not come, because notify-keyspace-events lacks their flags.", Node);
    private static readonly MetricDefinition Lag = new(MetricKind.Gauge, "keyevt.feed.lag", "s", "How old the last marker is that came back from the node. Up to one second of it is the time between two markers. Missing while the feed is not listening.", Node);
    private static readonly MetricDefinition Notifications = new(MetricKind.Counter, "keyevt.feed.notifications", "{event}", "Notifications that were read, of replicas too.", Node);
    private static readonly MetricDefinition HeldBack = new(MetricKind.Gauge, "keyevt.feed.notifications.held_back", "{event}", "Notifications that were not passed on because the node was a replica. A promotion may let some of them go after all.", Node);
    private static readonly MetricDefinition Oversized = new(MetricKind.Counter, "keyevt.feed.notifications.oversized", "{event}", "Notifications that were too large to be read. Each is a gap.", Node);
    private static readonly MetricDefinition Refused = new(MetricKind.Counter, "keyevt.feed.notifications.refused", "{message}", "Messages on a channel of notifications that no Redis sends of its own.", Node);
    private static readonly MetricDefinition MarkersSent = new(MetricKind.Counter, "keyevt.feed.markers.sent", "{message}", "Markers that were published, to prove that the subscription works.", Node);
    private static readonly MetricDefinition MarkersSeen = new(MetricKind.Counter, "keyevt.feed.markers.seen", "{message}", "Markers that came back.", Node);
    private static readonly MetricDefinition Reconnects = new(MetricKind.Counter, "keyevt.feed.reconnects", "{connection}", "Confirmed subscriptions that were lost.", Node);
    private static readonly MetricDefinition Gaps = new(MetricKind.Counter, "keyevt.feed.gaps", "{gap}", "Spans of time in which events of the node may be missing, open ones included.", Node);
    private static readonly MetricDefinition GapsOpen = new(MetricKind.Gauge, "keyevt.feed.gaps.open", "{gap}", "Gaps of the node that have not ended.", Node);
    private static readonly MetricDefinition GapsDuration = new(MetricKind.Counter, "keyevt.feed.gaps.duration", "s", "How long all gaps of the node that have ended were together.", Node);
    private static readonly MetricDefinition Nodes = new(MetricKind.Gauge, "keyevt.upstream.nodes", "{node}", "Nodes of the upstream, by the role that the topology gives them.", "role");
    private static readonly MetricDefinition TopologyFailing = new(MetricKind.Gauge, "keyevt.upstream.topology.failing", "", "1 while it cannot be found out which nodes there are.");
    private static readonly MetricDefinition TopologyChanges = new(MetricKind.Counter, "keyevt.upstream.topology.changes", "{change}", "Changes of the nodes, their roles or their slots.");

    /// <summary>
    /// Node address to metric name. Gaps know only the address, so the name is kept here after the node is gone. Guarded by <see cref="_gate"/>.
    /// </summary>
    private readonly Dictionary<string, string> _nameOf = [];
    private readonly Lock _gate = new();
    private readonly FeedSet _feeds;
    private readonly GapLog _gaps;

    public FeedMetrics(Meter meter, FeedSet feeds, ITopology topology, Func<string?> topologyFault, GapLog gaps, TimeProvider time)
    {
        (_feeds, _gaps) = (feeds, gaps);
        gaps.Opened += _ => LearnNames();
        meter.ObserveMany(Subscribed, () => ByNode(static status => status.State is FeedState.Subscribed or FeedState.HeldBack ? 1 : 0));
        meter.ObserveMany(State, () => feeds.Members.SelectMany(member => StateSeries.Of(member.Feed.Status.State, "state", Of(member))));
        meter.ObserveMany(Role, () => feeds.Members.SelectMany(member => StateSeries.Of(member.Feed.Status.Role, "role", Of(member))));
        meter.ObserveMany(FlagsMissing, () => ByNode(static status => status is { State: FeedState.Subscribed, FlagsFault: not null } ? 1 : 0));
        meter.ObserveMany(Lag, () => ByNode(status => FeedLag.Of(status, time)?.TotalSeconds));
        meter.ObserveMany(Notifications, () => ByNode(static status => status.Received));
        meter.ObserveMany(HeldBack, () => ByNode(static status => status.HeldBack));
        meter.ObserveMany(Oversized, () => ByNode(static status => status.Oversized));
        meter.ObserveMany(Refused, () => ByNode(static status => status.Refused));
        meter.ObserveMany(MarkersSent, () => ByNode(static status => status.MarkersSent));
        meter.ObserveMany(MarkersSeen, () => ByNode(static status => status.MarkersSeen));
        meter.ObserveMany(Reconnects, () => ByNode(static status => status.Reconnects));
        meter.ObserveMany(Gaps, () => GapsByNode(static totals => totals.Total));
        meter.ObserveMany(GapsOpen, () => GapsByNode(static totals => totals.Open));
        meter.ObserveMany(GapsDuration, () => GapsByNode(static totals => totals.Ended.TotalSeconds));
        meter.ObserveMany(Nodes, () => NodesByRole(topology.Current));
        meter.Observe(TopologyFailing, () => topologyFault() is null ? 0 : 1);
        meter.Observe(TopologyChanges, () => topology.Current.Version);
    }

    public static IReadOnlyList<MetricDefinition> OfFeeds { get; } =
        [Subscribed, State, Role, FlagsMissing, Lag, Notifications, HeldBack, Oversized, Refused, MarkersSent, MarkersSeen, Reconnects, Gaps, GapsOpen, GapsDuration];

    public static IReadOnlyList<MetricDefinition> OfUpstream { get; } = [Nodes, TopologyFailing, TopologyChanges];

    private static KeyValuePair<string, object?> Of(FeedMember member) => new(Node, NameOf(member.Node));

    /// <summary>A cluster node's id. For other nodes host and port or path: their id could also hold the login's user.</summary>
    internal static string NameOf(TopologyNode node)
    {
        var address = node.Address;
        if (node.Id != address.ToString()) return node.Id;
        return address.Path is null
            ? string.Create(CultureInfo.InvariantCulture, $"{(address.Host.Contains(':') ? $"[{address.Host}]" : address.Host)}:{address.Port}")
            : address.ToString();
    }

    /// <param name="read">Returns null to report nothing for a node.</param>
    private IEnumerable<Measurement<double>> ByNode(Func<NodeFeedStatus, double?> read) =>
        _feeds.Members.Select(member => (Member: member, Value: read(member.Feed.Status))).Where(one => one.Value is not null)
            .Select(one => new Measurement<double>(one.Value!.Value, Of(one.Member)));

    /// <summary>A node without gaps reports 0, so that an alarm on the rate notices the first gap.</summary>
    private List<Measurement<double>> GapsByNode(Func<GapTotals, double> read)
    {
        LearnNames();
        var sums = _feeds.Members.Select(member => NameOf(member.Node)).Distinct().ToDictionary(name => name, _ => 0.0);
        lock (_gate)
        {
            foreach (var (address, totals) in _gaps.ByNode)
            {
                var name = _nameOf.GetValueOrDefault(address, "unknown");
                sums[name] = sums.GetValueOrDefault(name) + read(totals);
            }
        }

        return [.. sums.Select(sum => new Measurement<double>(sum.Value, new KeyValuePair<string, object?>(Node, sum.Key)))];
    }

    private void LearnNames()
    {
        lock (_gate)
        {
            foreach (var member in _feeds.Members) _nameOf[member.Feed.Status.Node] = NameOf(member.Node);
        }
    }

    private static IEnumerable<Measurement<double>> NodesByRole(TopologySnapshot now) =>
        Enum.GetValues<NodeRole>().Select(role => new Measurement<double>(now.Nodes.Count(node => node.Role == role), new KeyValuePair<string, object?>("role", LabelText.Of(role))));
}
