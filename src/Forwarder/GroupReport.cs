using System.Globalization;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Membership;

namespace KeyEvt.Forwarder;

/// <summary>What does info report about the group? Who delivers the events of each node, and which members there are.</summary>
/// <param name="name">The name of the group.</param>
internal sealed class GroupReport(string name, FeedSet feeds, TimeProvider time)
{
    public InfoSection Make()
    {
        var streams = feeds.Members;
        var fields = new List<KeyValuePair<string, string>>
        {
            new("group", name),
            new("member", streams.Count > 0 ? streams[0].Feed.MemberName : ""),
            new("streams", Number(streams.Count)),
        };
        foreach (var (index, stream) in streams.Index())
        {
            fields.Add(new($"stream_{Number(index)}", Describe(stream.Node.Address.ToString(), stream.Feed.GroupStatus, stream.Feed.Status.State is FeedState.Subscribed or FeedState.Silent)));
        }

        var others = streams.SelectMany(stream => stream.Feed.GroupStatus.Peers.Select(peer => (Node: stream.Node.Address.ToString(), Peer: peer)));
        foreach (var (index, (node, peer)) in others.Index()) fields.Add(new($"member_{Number(index)}", Describe(node, peer)));

        return new InfoSection("group", fields);
    }

    private static string Describe(string node, StreamGroupStatus status, bool isMaster) => string.Create(
        CultureInfo.InvariantCulture,
        $"node={node},serves={(isMaster ? "yes" : "no")},role={RoleOf(status)},holder={status.Holder},term={status.Term},watermark={status.RunId:x16}-{status.Watermark.Marker}-{status.Watermark.Count},ring_bytes={status.KeptBytes},ring_events={status.KeptCount},reaches_back={(status.ReachesBack ? "yes" : "no")},config={status.ConfigVersion},members={status.Peers.Count},handovers={status.Handovers},last_handover_ms={status.LastHandover?.TotalMilliseconds ?? 0:0},last_handover_events={status.LastReplayed},other_versions={status.OtherVersions},unreadable={status.Unreadable}");

    private string Describe(string node, Peer peer) => string.Create(
        CultureInfo.InvariantCulture,
        $"node={node},name={peer.Name},broker={(peer.IsBrokerThere ? "up" : "down")},seen_ms={time.GetElapsedTime(peer.HeardAt).TotalMilliseconds:0},seat={(peer.Reach is null ? "no" : "yes")}");

    private static string RoleOf(StreamGroupStatus status) => status.IsHolder ? "holder" : status.IsKnown ? "standby" : "joining";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
