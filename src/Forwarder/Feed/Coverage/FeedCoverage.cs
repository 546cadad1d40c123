using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>Is the node covered (subscribed, with the flags set), and if not, since when? Opens and closes the node's gaps.</summary>
/// <remarks>
/// A stretch of wanting begins when the first class is wanted and ends when none is. Within it, coverage begins with the first confirmed subscription:
/// before that nothing was promised, so there is no gap. From then on every span without coverage is one. One gap is open at most; what else goes
/// wrong meanwhile makes it longer, and it ends when nothing is wrong any more. Thread safe; gaps are declared on the caller's thread.
/// </remarks>
/// <param name="hasSuccessors">See <see cref="NodeFeedOptions.HasSuccessors"/>.</param>
/// <param name="clients">Holds clients' requests back while the node is not covered; null: nobody's.</param>
internal sealed class FeedCoverage(string node, GapLog gaps, TimeProvider time, ILogger logger, bool hasSuccessors = false, CoverageGate? clients = null)
{
    private readonly Lock _gate = new();
    private bool _isWanted;
    private bool _isSubscribed;
    private bool _hasFlags = true;
    private bool _hasBegun;
    private bool _isHeld;
    private (RedisFault Fault, ClockReading From, EventPosition Last)? _lostWhileHeld;
    private (RedisFault Fault, EventPosition Last)? _silence;
    private ClockReading _proven;
    private ClockReading _subscribedAt;
    private ClockReading _openSince;
    private Gap? _open;

    /// <summary>A gap has been declared that has not ended yet.</summary>
    public bool IsGapOpen
    {
        get
        {
            lock (_gate)
                return _open is not null;
        }
    }

    /// <summary>Nothing wanted: what is not received is not missed.</summary>
    public void Want(bool isWanted, EventPosition position)
    {
        lock (_gate)
        {
            _isWanted = isWanted;
            if (!isWanted)
                _hasBegun = false;
        }

        Settle(position);
        ShowClients();
    }

    /// <summary>All that Redis sent before it handled a command given at this moment has been read.</summary>
    public void Prove(ClockReading sentAt)
    {
        lock (_gate)
        {
            if (sentAt.Timestamp > _proven.Timestamp)
                _proven = sentAt;
        }
    }

    /// <summary>The wanted subscription is confirmed, at this position.</summary>
    /// <param name="isReplica">What was lost of it meanwhile is not missed.</param>
    public void Subscribed(EventPosition position, bool isReplica = false)
    {
        lock (_gate)
        {
            if (!_isSubscribed)
                _subscribedAt = _proven = ClockReading.Now(time);
            _isSubscribed = true;
            _hasBegun |= _isWanted;
        }

        Settle(position);
        if (isReplica)
            _lostWhileHeld = null;
        else
            DeclareLostWhileHeld(position);
        ShowClients();
    }

    /// <summary>
    /// Whether the node is a replica, whose notifications nobody misses. What was lost of it counts only when it is promoted before it is covered again.
    /// A master's open gap stays open when it comes back as a replica: its successor ends it. Read loop.
    /// </summary>
    public void Hold(bool isHeld, EventPosition position)
    {
        if (!hasSuccessors)
            return;

        bool lacksFlags;
        ClockReading since;
        lock (_gate)
        {
            _isHeld = isHeld;
            lacksFlags = !isHeld && !_hasFlags;
            since = _subscribedAt;
        }

        if (lacksFlags)
            Open(GapCause.FlagsMissing, "the flags were not set when the node was promoted", since, position);
        Settle(position);
        ShowClients();
    }

    /// <summary>Nothing comes on the connection, which is kept: a gap only if another node takes this one's place before it speaks again, or if it is lost.</summary>
    public void FellSilent(RedisFault fault, EventPosition last)
    {
        lock (_gate)
            _silence = (fault, last);
    }

    /// <summary>It speaks again: nothing was lost.</summary>
    public void Speaks()
    {
        lock (_gate)
            _silence = null;
    }

    /// <summary>Another node has taken this one's place, and is covered. What this one last said, before it fell silent, is the last that is known of it.</summary>
    /// <param name="first">Where the successor's stream begins.</param>
    public void Succeeded(EventPosition first)
    {
        (RedisFault Fault, EventPosition Last)? silence;
        ClockReading proven;
        lock (_gate)
            (silence, proven, _silence) = (_silence, _proven, null);
        if (silence is { } since)
            Open(since.Fault.Cause, since.Fault.Text, proven, since.Last);

        Gap? closed;
        lock (_gate)
        {
            closed = Close(first);
            _hasBegun = false; // should it come back as a master, a new story begins
            _isHeld = true;
        }

        if (closed is not null)
            Closed(closed);
        ShowClients();
    }

    private void DeclareLostWhileHeld(EventPosition first)
    {
        if (_lostWhileHeld is not { } lost)
            return;

        _lostWhileHeld = null;
        Missed(lost.Fault.Cause, $"{lost.Fault.Text}; the node was promoted meanwhile", lost.From, lost.Last, first);
    }

    /// <summary>The connection is gone, and with it the subscription.</summary>
    public void Lost(RedisFault fault, EventPosition last)
    {
        ClockReading from;
        lock (_gate)
        {
            _silence = null;
            if (!_isSubscribed)
                return;
            _isSubscribed = false;
            from = _proven;
            if (_isHeld)
            {
                _lostWhileHeld ??= (fault, from, last);
                return;
            }
        }

        ShowClients();
        Open(fault.Cause, fault.Text, from, last);
    }

    /// <summary>
    /// A needed flag is not set; it was until <paramref name="from"/>, or, when that is null, it never was. What was proven since was the connection only:
    /// a gap that is open and began later begins then.
    /// </summary>
    public void FlagsLost(string detail, ClockReading? from, EventPosition last)
    {
        ClockReading since;
        lock (_gate)
        {
            _hasFlags = false;
            since = from ?? _subscribedAt;
        }

        ShowClients();
        Open(GapCause.FlagsMissing, detail, since, last, reachesBack: from is not null);
    }

    public void FlagsFound(EventPosition position)
    {
        lock (_gate)
            _hasFlags = true;
        Settle(position);
        ShowClients();
    }

    /// <summary>Their requests are held back as soon as something is missing, and passed on when its gap has ended.</summary>
    private void ShowClients()
    {
        lock (_gate)
            clients?.Show(_isWanted && !_isHeld && !(_hasBegun && _isSubscribed && _hasFlags));
    }

    /// <summary>A span known only when it is over.</summary>
    public void Missed(GapCause cause, string detail, ClockReading from, EventPosition last, EventPosition first)
    {
        var now = ClockReading.Now(time);
        lock (_gate)
        {
            if (!_isWanted)
                return;
            if (_open is not null)
            {
                if (from.Timestamp < _openSince.Timestamp)
                    ReachBack(detail, from, last);
                return;
            }
        }

        var gap = gaps.Add(NewGap(cause, detail, from, last) with
        {
            To = now.Wall,
            Duration = time.GetElapsedTime(from.Timestamp, now.Timestamp),
            FirstPosition = first,
        });
        Opened(gap);
        Closed(gap);
    }

    /// <summary>Nobody listened from an earlier life of the program until this one did. Known by the wall clock only.</summary>
    public void NotRunning(string detail, DateTimeOffset from, EventPosition last, DateTimeOffset to, EventPosition first)
    {
        var span = to > from ? to - from : TimeSpan.Zero; // a clock that was put back
        var gap = gaps.Add(new Gap { Node = node, Cause = GapCause.NotRunning, Detail = detail, From = to - span, To = to, Duration = span, LastPosition = last, FirstPosition = first });
        Opened(gap);
        Closed(gap);
    }

    private void Open(GapCause cause, string detail, ClockReading from, EventPosition last, bool reachesBack = false)
    {
        Gap gap;
        lock (_gate)
        {
            if (!_isWanted || !_hasBegun || _isHeld)
                return;
            if (_open is not null)
            {
                if (reachesBack && from.Timestamp < _openSince.Timestamp)
                    ReachBack(detail, from, last);
                return;
            }

            _openSince = from;
            gap = _open = gaps.Add(NewGap(cause, detail, from, last));
        }

        Opened(gap);
    }

    private void ReachBack(string detail, ClockReading from, EventPosition last)
    {
        _openSince = from;
        _open = _open! with { From = from.Wall, LastPosition = last, Detail = $"{_open.Detail}; {detail}" };
        gaps.Replace(_open);
    }

    /// <summary>Ends the open gap when its reasons are gone.</summary>
    private void Settle(EventPosition position)
    {
        Gap? closed;
        lock (_gate)
        {
            if (_isWanted && !(_isSubscribed && _hasFlags && !_isHeld))
                return;
            closed = Close(position);
        }

        if (closed is not null)
            Closed(closed);
    }

    /// <summary>Under the lock.</summary>
    private Gap? Close(EventPosition first)
    {
        if (_open is null)
            return null;

        var now = ClockReading.Now(time);
        var closed = _open with { To = now.Wall, Duration = time.GetElapsedTime(_openSince.Timestamp, now.Timestamp), FirstPosition = first };
        _open = null;
        gaps.Close(closed);
        return closed;
    }

    /// <summary>Under no lock: who is told may ask for anything.</summary>
    private void Opened(Gap gap)
    {
        FeedLog.GapOpened(logger, node, gap.Id, gap.Cause, gap.From, gap.Detail);
        gaps.AnnounceOpened(gap);
    }

    private void Closed(Gap gap)
    {
        FeedLog.GapClosed(logger, node, gap.Id, gap.Cause, gap.Duration ?? TimeSpan.Zero, gap.LastPosition, gap.FirstPosition);
        gaps.AnnounceClosed(gap);
    }

    private Gap NewGap(GapCause cause, string detail, ClockReading from, EventPosition last) =>
        new() { Node = node, Cause = cause, Detail = detail, From = from.Wall, LastPosition = last };
}
