using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;

namespace KeyEvt.Forwarder.Membership;

/// <summary>How far is a feed behind its node?</summary>
internal static class FeedLag
{
    /// <summary>
    /// The age of the last marker that came back. Markers are sent every quarter of a second while events flow, and otherwise each second, so a lag
    /// of up to that interval is normal. Null if the feed is not listening.
    /// </summary>
    public static TimeSpan? Of(NodeFeedStatus status, TimeProvider time)
    {
        if (status is not { Patterns.Count: > 0, State: FeedState.Subscribed or FeedState.HeldBack or FeedState.Silent }) return null;

        var age = time.GetUtcNow().ToUnixTimeMilliseconds() - EventPosition.MarkerMilliseconds(status.Position.Marker);
        return TimeSpan.FromMilliseconds(Math.Max(0, age));
    }
}
