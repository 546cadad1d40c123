using System.Globalization;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder;

/// <summary>
/// What does info report about the upstream? First the master's feed; in a cluster the first feed that is not well, with the sums of all feeds. Then
/// a line for each node.
/// </summary>
internal sealed class UpstreamReport(UpstreamAddress address, TopologyWatcher topology, FeedSet feeds, CoverageGateRegistry coverage, GapLog gaps, TimeProvider time)
{
    public InfoSection Make()
    {
        var members = feeds.Members;
        var all = members.Select(member => member.Feed.Status).ToList();
        var masters = feeds.Masters.Select(member => member.Feed.Status).ToList();
        var status = masters.FirstOrDefault(one => one.State != FeedState.Subscribed) ?? masters.FirstOrDefault() ?? new NodeFeedStatus { Node = "", State = FeedState.Connecting };
        var fields = new List<(string, string)>
        {
            ("shape", LabelText.Of(topology.Current.Shape)),
            ("address", address.ToString()),
            ("topology_version", Number(topology.Current.Version)),
            ("topology_error", topology.LastFault ?? ""),
            ("node", status.Node),
            ("feed_state", LabelText.Of(status.State)),
            ("role", LabelText.Of(status.Role)),
            ("run_id", status.RunId),
            ("redis_version", status.RedisVersion),
            ("server", status.Server),
            ("notify_keyspace_events", status.NotifyFlags ?? ""),
            ("flags_lacking", status.LackingFlags),
            ("flags_fault", status.FlagsFault ?? ""),
            ("patterns", string.Join(' ', status.Patterns)),
            ("position", status.Position.ToString()),
            ("notifications_received", Number(all.Sum(one => one.Received))),
            ("notifications_held_back", Number(all.Sum(one => one.HeldBack))),
            ("notifications_oversized", Number(all.Sum(one => one.Oversized))),
            ("notifications_refused", Number(all.Sum(one => one.Refused))),
            ("markers_sent", Number(all.Sum(one => one.MarkersSent))),
            ("markers_seen", Number(all.Sum(one => one.MarkersSeen))),
            ("reconnects", Number(all.Sum(one => one.Reconnects))),
            ("coverage_waits", Number(coverage.Waits)),
            ("coverage_waits_ran_out", Number(coverage.RanOut)),
            ("last_error", status.LastError ?? ""),
            ("remedy", all.Select(one => one.RemedyText).FirstOrDefault(text => text is not null) ?? ""),
            ("nodes", Number(members.Count)),
            ("masters", Number(masters.Count)),
        };
        foreach (var (index, member) in members.Index())
        {
            fields.Add((string.Create(CultureInfo.InvariantCulture, $"node_{index}"), Describe(member)));
        }

        return new InfoSection("upstream", [.. fields.Select(field => KeyValuePair.Create(field.Item1, field.Item2))]);
    }

    private string Describe(FeedMember member)
    {
        var (node, status) = (member.Node, member.Feed.Status);
        var own = gaps.OfNode(status.Node);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"address={node.Address},id={node.Id},role={LabelText.Of(status.Role)},topology_role={LabelText.Of(node.Role)},failing={(node.IsFailing ? "yes" : "no")},slots={node.Slots.Sum(range => range.Count)},state={LabelText.Of(status.State)},position={status.Position},lag_ms={FeedLag.Of(status, time)?.TotalMilliseconds ?? -1:0},received={status.Received},held_back={status.HeldBack},flags={status.NotifyFlags},gaps={own.Total},gaps_open={own.Open}");
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
