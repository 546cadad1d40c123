using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder.Membership;

/// <summary>What is missing until the events of every master are heard? One line for each fault; no lines if nothing is missing.</summary>
internal static class FeedReadiness
{
    public static IReadOnlyList<string> Missing(TopologyWatcher topology, FeedSet feeds)
    {
        var isAlone = topology.Current.Shape == UpstreamShape.Standalone;
        var masters = feeds.Masters.ToList();
        if (masters.Count == 0) return [$"no master is known{(topology.LastFault is { } fault ? $": {fault}" : "")}"];

        var missing = new List<string>();
        foreach (var (status, group) in masters.Select(master => (master.Feed.Status, master.Feed.GroupStatus)))
        {
            var fault = FaultOf(status, isAlone) ?? GroupFaultOf(group);
            if (fault is not null)
            {
                missing.Add((isAlone ? "" : $"{status.Node}: ") + fault + (status.FlagsFault is null && status.LastError is { } error ? $": {error}" : "") + (status.RemedyText is { } remedy ? $" ({remedy})" : ""));
            }
        }

        return missing;
    }

    /// <summary>What an operator should know although nothing is missing: flags that a node's Redis version does not have. One line each.</summary>
    public static IReadOnlyList<string> Notes(FeedSet feeds) =>
        [.. feeds.Masters.Select(master => master.Feed.Status).Where(status => status is { LackingFlags.Length: > 0, FlagsFault: null })
            .Select(status => $"{status.Node}: {status.Server} has no event flags '{status.LackingFlags}', all else is forwarded")];

    /// <summary>Why nobody in the group delivers the node's events; null if somebody does. A standby is ready.</summary>
    internal static string? GroupFaultOf(StreamGroupStatus group) => group switch
    {
        { Holder: not null } => null,
        { IsKnown: true } => "no member of the group delivers: the last one has ended, and another is about to take its place",
        _ => "the other members of the group are asked who delivers",
    };

    /// <summary>Why the node's events are not heard; null if they are.</summary>
    internal static string? FaultOf(NodeFeedStatus status, bool isAlone) => status.State switch
    {
        FeedState.Subscribed when status.FlagsFault is { } fault => $"the feed is subscribed, and the wanted events do not come: {fault}",
        FeedState.Subscribed => null,
        FeedState.HeldBack when isAlone => null, // a replica's events are held back on purpose, and its clients are served
        FeedState.HeldBack => "the node does not say yet that it is a master",
        FeedState.Connecting => "the feed is connecting to the upstream",
        FeedState.Silent => "the upstream has sent nothing for a while: it is busy or frozen, or the way to it is down (the feed keeps its connection)",
        FeedState.Down => "the upstream does not answer the feed",
        _ => "the feed has ended",
    };
}
