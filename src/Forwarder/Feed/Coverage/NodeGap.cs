using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>Which gap of one node is open? At most one is: whatever else goes wrong meanwhile makes it longer.</summary>
/// <remarks>
/// The methods for the open gap are not thread safe: <see cref="FeedCoverage"/> calls them under its own lock. It calls the Announce methods without
/// a lock, because their event handlers may call back.
/// </remarks>
internal sealed class NodeGap(string node, GapLog gaps, TimeProvider time, ILogger logger)
{
    private ClockReading _openSince;
    private volatile Gap? _open;

    /// <summary>Any thread.</summary>
    public bool IsOpen => _open is not null;

    /// <summary>Opens a gap. None may be open.</summary>
    public Gap Open(GapCause cause, string detail, ClockReading from, EventPosition last)
    {
        _openSince = from;
        return _open = gaps.Add(New(cause, detail, from, last));
    }

    /// <summary>Lets the open gap begin earlier, at <paramref name="from"/>. Does nothing if it already begins earlier.</summary>
    public void ReachBack(string detail, ClockReading from, EventPosition last)
    {
        if (from.Timestamp >= _openSince.Timestamp) return;

        _openSince = from;
        _open = _open! with { From = from.Wall, LastPosition = last, Detail = $"{_open.Detail}; {detail}" };
        gaps.Replace(_open);
    }

    /// <summary>Ends the open gap now. Returns null if none was open.</summary>
    /// <param name="first">Where the node's stream goes on.</param>
    public Gap? Close(EventPosition first)
    {
        if (_open is null) return null;

        var closed = Ended(_open, _openSince, ClockReading.Now(time), first);
        _open = null;
        gaps.Close(closed);
        return closed;
    }

    /// <summary>Adds a gap that has ended already, at <paramref name="to"/>.</summary>
    public Gap AddEnded(GapCause cause, string detail, ClockReading from, EventPosition last, ClockReading to, EventPosition first) =>
        gaps.Add(Ended(New(cause, detail, from, last), from, to, first));

    /// <summary>Removes the open gap: other members of the group have heard what this program did not. Returns false if there is none, or if flags were missing.</summary>
    public bool Withdraw()
    {
        if (_open is not { Cause: not GapCause.FlagsMissing } open) return false;

        _open = null;
        gaps.Withdraw(open);
        FeedLog.GapWithdrawn(logger, node, open.Id, open.Cause);
        return true;
    }

    /// <summary>Adds a gap of which only the wall clock tells how long it was, and that may have been put back.</summary>
    public Gap AddByWallClock(GapCause cause, string detail, DateTimeOffset from, EventPosition last, DateTimeOffset to, EventPosition first)
    {
        var span = to > from ? to - from : TimeSpan.Zero;
        return gaps.Add(new Gap { Node = node, Cause = cause, Detail = detail, From = to - span, To = to, Duration = span, LastPosition = last, FirstPosition = first });
    }

    /// <summary>Announces a gap that has ended already.</summary>
    public void Announce(Gap ended)
    {
        AnnounceOpened(ended);
        AnnounceClosed(ended);
    }

    public void AnnounceOpened(Gap gap)
    {
        FeedLog.GapOpened(logger, node, gap.Id, gap.Cause, gap.From, gap.Detail);
        gaps.AnnounceOpened(gap);
    }

    public void AnnounceClosed(Gap gap)
    {
        FeedLog.GapClosed(logger, node, gap.Id, gap.Cause, gap.Duration ?? TimeSpan.Zero, gap.LastPosition, gap.FirstPosition);
        gaps.AnnounceClosed(gap);
    }

    private Gap New(GapCause cause, string detail, ClockReading from, EventPosition last) =>
        new() { Node = node, Cause = cause, Detail = detail, From = from.Wall, LastPosition = last };

    private Gap Ended(Gap gap, ClockReading from, ClockReading to, EventPosition first) =>
        gap with { To = to.Wall, Duration = time.GetElapsedTime(from.Timestamp, to.Timestamp), FirstPosition = first };
}
