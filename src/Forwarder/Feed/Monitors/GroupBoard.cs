using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Status;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>What is shown of a group, and which of its messages could not be read? Under <see cref="FeedContext.Turn"/>.</summary>
internal sealed class GroupBoard(FeedContext feed, StreamGroup group)
{
    private long _otherVersions;
    private long _unreadable;

    /// <summary>See <see cref="StreamGroupStatus.LastHandover"/>.</summary>
    public TimeSpan? LastHandover { get; set; }

    /// <summary>Counts a message that this program cannot use, if it was meant for it, and warns.</summary>
    public void CountUnread(ReadOnlySpan<byte> payload)
    {
        if (group.Envelope.IsOtherVersion(payload))
        {
            _otherVersions++;
            if (feed.RefusedWarnings.MayWarn(2034)) FeedLog.OtherVersion(feed.Logger, feed.Node, group.Envelope.Group, _otherVersions);
        }
        else if (group.Envelope.IsOurs(payload, group.RunId))
        {
            _unreadable++;
            if (feed.RefusedWarnings.MayWarn(2035)) FeedLog.GroupMessageRefused(feed.Logger, feed.Node, group.Envelope.Group, _unreadable);
        }
    }

    public void Show() => group.Show(new StreamGroupStatus
    {
        IsKnown = group.Member.IsKnown,
        IsHolder = group.Member.IsHolder,
        IsServing = group.Member.IsServing,
        Holder = group.Member.Holder,
        LastHolder = group.Member.Holder ?? group.Status.LastHolder,
        Term = group.Member.Claim?.Number ?? 0,
        Watermark = group.Member.Watermark,
        ConfigVersion = group.Member.ConfigVersion,
        RunId = group.RunId,
        KeptBytes = group.Member.KeptBytes,
        KeptCount = group.Member.KeptCount,
        ReachesBack = group.Member.ReachesBack,
        Handovers = group.Member.Office,
        LastHandover = LastHandover,
        LastReplayed = group.Member.LastReplayed,
        Peers = [new Peer(group.Member.Name, feed.Time.GetTimestamp(), 0, group.Member.Reach, group.Duties.IsBrokerThere, group.Member.Classes), .. group.Peers.There],
        OtherVersions = _otherVersions,
        Unreadable = _unreadable,
    });
}
