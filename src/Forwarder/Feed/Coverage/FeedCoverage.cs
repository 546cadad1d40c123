using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>Is the node covered (subscribed, with the flags set), and if not, since when? Opens and closes the node's gaps.</summary>
/// <remarks>
/// Coverage is judged from the first confirmed subscription on, for as long as any event class is wanted. Before that nothing was promised, so there is no gap. From then
/// on every span without coverage is a gap. One gap is open at most (<see cref="NodeGap"/>). It ends when nothing is wrong any more. Thread safe; gaps are declared on the
/// caller's thread.
/// </remarks>
/// <param name="hasSuccessors">See <see cref="NodeFeedOptions.HasSuccessors"/>.</param>
/// <param name="clients">Holds clients' requests back while the node is not covered; null: no requests are held back.</param>
internal sealed class FeedCoverage(string node, GapLog gaps, TimeProvider time, ILogger logger, bool hasSuccessors = false, CoverageGate? clients = null)
{
    private static readonly RedisFault NotAnsweredYet = new(RedisFaultKind.Silent, "the node had not answered yet when another node took its place");

    private readonly Lock _gate = new();
    private readonly NodeGap _gap = new(node, gaps, time, logger);
    private readonly ReplicaSpan _replica = new(ClockReading.Now(time));
    private readonly GroupSpan _group = new();
    private bool _isWanted;
    private bool _isSubscribed;
    private bool _hasFlags = true;
    private bool _hasBegun;
    private bool _isHeld;

    /// <summary>Why the node is silent, and its last position; null if it is not silent.</summary>
    private (RedisFault Fault, EventPosition Last)? _silence;

    /// <summary>Everything that the node did before this moment has been read.</summary>
    private ClockReading _proven;
    private ClockReading _subscribedAt;

    /// <summary>Whether a gap has been declared that has not ended yet.</summary>
    public bool IsGapOpen => _gap.IsOpen;

    /// <summary>Whether a gap is open, or it is not known whether what was not heard is one.</summary>
    public bool IsInDoubt { get { lock (_gate) return _gap.IsOpen || _replica.IsNamed; } }

    /// <summary>Sets whether any event class is wanted. While none is, nothing that is not received is missed.</summary>
    public void Want(bool isWanted, EventPosition position)
    {
        lock (_gate)
        {
            _isWanted = isWanted;
            if (!isWanted) _hasBegun = false;
        }

        Settle(position);
        ShowClients();
    }

    /// <summary>Notes that everything has been read that Redis sent before it handled a command given at this moment.</summary>
    public void Prove(ClockReading sentAt)
    {
        lock (_gate) _proven = ClockReading.LaterOf(sentAt, _proven);
    }

    /// <summary>Notes that the wanted subscription is confirmed, at this position.</summary>
    /// <param name="isReplica">The node is a replica. What was lost while it was a master is missed, if this program holds the successor's stream: others of the group may have heard it, but do not pass it on.</param>
    /// <param name="awaitsJudgement">The open gap does not end before <see cref="Judge"/>.</param>
    /// <param name="askedAt">When the node was asked for it; null: now. What it sends from then on may be lost with the connection.</param>
    /// <param name="heardBefore">Until when the master was heard whose place the node has taken, if nothing is known of the time since then.</param>
    public void Subscribed(EventPosition position, bool isReplica = false, bool awaitsJudgement = false, ClockReading? askedAt = null, (ClockReading At, EventPosition Last)? heardBefore = null)
    {
        Loss? left;
        lock (_gate)
        {
            left = isReplica && hasSuccessors ? _group.Take() : null;
            if (heardBefore is { } before && !_hasBegun && !_isSubscribed) _replica.NotHeard(before.At, before.Last);
            if (awaitsJudgement && !isReplica) _group.Lost(_replica.TakeLoss()?.BeforePromotion);
            if (awaitsJudgement) _group.Await();
            if (hasSuccessors && isReplica && !_isSubscribed) _replica.Subscribed(position);
            if (!_isSubscribed) (_subscribedAt, _proven) = (ClockReading.Now(time), askedAt ?? ClockReading.Now(time));
            _isSubscribed = true;
            _hasBegun |= _isWanted;
        }

        Settle(position);
        if (!isReplica) DeclareLostAsReplica(position);
        else if (left is { } one) Missed(one.Fault.Cause, one.Fault.Text, one.From, one.Last, position);
        ShowClients();
    }

    /// <summary>Sets whether the node is a replica, whose notifications nobody misses. A loss of a replica counts only when it is promoted before it is covered again.</summary>
    /// <remarks>The open gap of a master stays open when that node comes back as a replica: its successor ends the gap. Called by the read loop.</remarks>
    /// <param name="askedAt">When the question was sent that the node has answered with "slave"; null if it is held for another reason.</param>
    public void Hold(bool isHeld, EventPosition position, ClockReading? askedAt = null)
    {
        if (!hasSuccessors) return;

        bool lacksFlags, isSubscribed;
        ClockReading since;
        Loss? unheard = null;
        (string Detail, ClockReading From, EventPosition Last)? lacked;
        lock (_gate)
        {
            _isHeld = isHeld;
            isSubscribed = _isSubscribed;
            _hasBegun |= !isHeld && isSubscribed && _isWanted; // it may have been succeeded meanwhile: see Succeeded
            if (askedAt is { } asked) unheard = _replica.Said(asked, position, isSubscribed && asked.Timestamp >= _subscribedAt.Timestamp);
            else if (!isHeld) _replica.IsMaster();
            lacksFlags = !isHeld && !_hasFlags;
            since = _subscribedAt;
            lacked = _replica.TakeLacked(isHeld, _hasFlags);
        }

        if (lacksFlags) Open(GapCause.FlagsMissing, "the flags were not set when the node was promoted", since, position);
        else if (lacked is { } one) Missed(GapCause.FlagsMissing, one.Detail, one.From, one.Last, position);
        if (!isHeld && isSubscribed) DeclareLostAsReplica(position);
        if (unheard is { } other) Missed(GapCause.Promoted, other.Fault.Text, other.From, other.Last, position);
        Settle(position);
        ShowClients();
    }

    /// <summary>Notes that the node sends nothing while its connection is kept; null: it speaks again, and nothing was lost. It is a gap if another node takes its place before that, or if the connection is lost.</summary>
    public void Silence((RedisFault Fault, EventPosition Last)? silence)
    {
        lock (_gate) _silence = silence;
    }

    /// <summary>Notes that the node was held back wrongly since then: it was the master. While it is not subscribed, the gap ends with its next subscription.</summary>
    public void HeldWrongly(string detail, ClockReading from, EventPosition last, EventPosition position)
    {
        bool isSubscribed;
        lock (_gate)
        {
            isSubscribed = _isSubscribed;
            _isHeld &= isSubscribed;
            if (!isSubscribed) _replica.Lost(new Loss(new RedisFault(RedisFaultKind.Closed, detail), from, last));
        }

        if (isSubscribed) Hold(false, position);
        if (isSubscribed) Missed(GapCause.Promoted, detail, from, last, position);
        ShowClients();
    }

    /// <summary>Notes whether the topology names the node as a master. If it never says so itself before it is named no more, or says "slave", what it sent is missed.</summary>
    /// <param name="isMissed">Whether anybody misses that, asked at its end; null: yes.</param>
    /// <param name="since">When the topology was last known to name another one.</param>
    public void Named(bool isMaster, EventPosition position, Func<bool>? isMissed = null, ClockReading since = default)
    {
        if (!hasSuccessors) return;

        Loss? unheard = null;
        lock (_gate)
        {
            if (!isMaster) unheard = _replica.TakeUnheard();
            else if (_replica.IsSaid || !(_hasBegun || _isSubscribed)) _replica.Named(ClockReading.Now(time), position, isMissed, since);
        }

        if (unheard is { } one) Missed(GapCause.Promoted, one.Fault.Text, one.From, one.Last, position);
    }

    /// <summary>Notes that the node was replaced as the master and took the place again, after this moment, and that was not noticed in time.</summary>
    public void ReplacedUnseen(ClockReading after, EventPosition position)
    {
        Missed(GapCause.Promoted, "another node was the master for a while, and that was not noticed in time", after, position, position);
        lock (_gate) _replica.NamedAgain(ClockReading.Now(time));
    }

    /// <summary>Notes that another node has taken this one's place and is covered. If this node was silent, its gap begins at the last thing it sent.</summary>
    /// <remarks>So it does if it has proven nothing since the successor is known as a master.</remarks>
    /// <param name="first">Where the successor's stream begins.</param>
    /// <param name="heardFrom">Since when the successor is known as a master.</param>
    public void Succeeded(EventPosition first, EventPosition last, ClockReading heardFrom)
    {
        bool isSubscribed;
        (RedisFault Fault, EventPosition Last)? silence;
        Loss? lost;
        ClockReading proven;
        lock (_gate) (silence, proven, isSubscribed, lost) = (_silence, _proven, _isSubscribed, _group.Take());
        if (lost is { } one) Missed(one.Fault.Cause, one.Fault.Text, one.From, one.Last, first); // no other member could go on there either
        if (silence is null && isSubscribed && proven.Timestamp < heardFrom.Timestamp) silence = (NotAnsweredYet, last);
        if (silence is { } since) Open(since.Fault.Cause, since.Fault.Text, proven, since.Last);

        Gap? closed;
        lock (_gate)
        {
            closed = _gap.Close(first);
            _replica.Replaced(ClockReading.Now(time), isSubscribed && silence is null ? new Loss(NotAnsweredYet, proven, last) : null);
            (_silence, _hasBegun, _isHeld) = (null, false, true); // if the node becomes a master again, coverage begins anew
        }

        if (closed is not null) _gap.AnnounceClosed(closed);
        ShowClients();
    }

    /// <summary>Notes that the connection is lost, and its subscription with it.</summary>
    /// <param name="canOthersGoOn">Other members of the group hear the stream. <see cref="Judge"/> tells later whether they have.</param>
    public void Lost(RedisFault fault, EventPosition last, bool canOthersGoOn = false)
    {
        DeclareUnproven(last);
        ClockReading from;
        lock (_gate)
        {
            _silence = null;
            if (!_isSubscribed) return;
            _isSubscribed = false;
            from = _proven;
            if (_isHeld)
            {
                _replica.Lost(new Loss(fault, from, last));
                return;
            }

            if (canOthersGoOn && !_gap.IsOpen)
            {
                _group.Lost(new Loss(fault, from, last));
                return;
            }
        }

        ShowClients();
        Open(fault.Cause, fault.Text, from, last);
    }

    /// <summary>Nothing more is read of the node. If another one has taken its place and it has not answered since, what it took until it heard of that may be missed.</summary>
    public void DeclareUnproven(EventPosition position)
    {
        Loss? unproven;
        lock (_gate) unproven = _replica.TakeUnproven(_proven);
        if (unproven is { } one) Missed(one.Fault.Cause, one.Fault.Text, one.From, one.Last, position);
    }

    /// <summary>Notes that a needed flag is not set.</summary>
    /// <param name="from">When it was last seen set; null if it never was. If the open gap began later, it now begins there: a connection that answers proves nothing while the flag is missing.</param>
    public void FlagsLost(string detail, ClockReading? from, EventPosition last)
    {
        ClockReading since;
        lock (_gate)
        {
            _hasFlags = false;
            _group.MissedToo();
            since = from ?? _subscribedAt;
            if (_isHeld) _replica.LacksFlags(detail, since, last);
        }

        ShowClients();
        Open(GapCause.FlagsMissing, detail, since, last, reachesBack: from is not null);
    }

    /// <summary>Notes that the node has been started anew, or replaced.</summary>
    /// <param name="seen">The flags of the former process were seen set then, and nobody knows for how long after it. So what was missed at its end begins there.</param>
    public void FlagsUnknown(ClockReading seen, EventPosition last)
    {
        lock (_gate)
        {
            _group.ReachBack(seen, last);
            if (_gap.IsOpen && !_isHeld) _gap.ReachBack("the flags were last seen set before", seen, last);
        }
    }

    /// <summary>Notes that all needed flags are set.</summary>
    public void FlagsFound(EventPosition position)
    {
        lock (_gate) _hasFlags = true;
        Settle(position);
        ShowClients();
    }

    /// <summary>Declares a gap that was noticed only after its end. Makes the open gap begin earlier instead, if one is open.</summary>
    public void Missed(GapCause cause, string detail, ClockReading from, EventPosition last, EventPosition first)
    {
        var now = ClockReading.Now(time);
        lock (_gate)
        {
            if (!_isWanted) return;
            if (_gap.IsOpen)
            {
                _group.MissedToo();
                _gap.ReachBack(detail, from, last);
                return;
            }
        }

        _gap.Announce(_gap.AddEnded(cause, detail, from, last, now, first));
    }

    /// <summary>Declares a gap of which only the wall clock tells when it was: nobody listened, or nobody kept what was sent.</summary>
    public void NotCovered(GapCause cause, string detail, DateTimeOffset from, EventPosition last, DateTimeOffset to, EventPosition first) =>
        _gap.Announce(_gap.AddByWallClock(cause, detail, from, last, to, first));

    /// <summary>Notes whether other members of the group have heard the stream meanwhile. If so, nobody misses anything, and the open gap is withdrawn. Missing flags concern all members.</summary>
    /// <param name="first">Where the stream goes on.</param>
    public void Judge(bool isCovered, EventPosition first)
    {
        Loss? lost, unheard;
        lock (_gate)
        {
            (lost, var mayWithdraw) = _group.Judge();
            unheard = _isSubscribed && !_isHeld ? _replica.TakeUnheard() : null;
            if (isCovered && _hasFlags && mayWithdraw && _gap.Withdraw()) return;
        }

        if (!isCovered && lost is { } one) Missed(one.Fault.Cause, one.Fault.Text, one.From, one.Last, first);
        if (!isCovered && unheard is { } other) Missed(GapCause.Promoted, other.Fault.Text, other.From, other.Last, first);
        Settle(first);
        ShowClients();
    }

    private void Open(GapCause cause, string detail, ClockReading from, EventPosition last, bool reachesBack = false)
    {
        Gap gap;
        lock (_gate)
        {
            if (!_isWanted || !_hasBegun || _isHeld) return;
            if (_gap.IsOpen)
            {
                if (reachesBack) _gap.ReachBack(detail, from, last);
                return;
            }

            gap = _gap.Open(cause, detail, from, last);
        }

        _gap.AnnounceOpened(gap);
    }

    /// <summary>Ends the open gap when its reasons are gone.</summary>
    private void Settle(EventPosition position)
    {
        Gap? closed;
        lock (_gate)
        {
            if (_isWanted && !(_isSubscribed && _hasFlags && !_isHeld && !_group.IsAwaited)) return;
            closed = _gap.Close(position);
        }

        if (closed is not null) _gap.AnnounceClosed(closed);
    }

    /// <summary>The node is a master: what was not heard of it since it last was a replica is missed.</summary>
    private void DeclareLostAsReplica(EventPosition first)
    {
        Loss? loss;
        lock (_gate) loss = _replica.TakeLoss();
        if (loss?.BeforePromotion is { } lost) Missed(lost.Fault.Cause, lost.Fault.Text, lost.From, lost.Last, first);
    }

    /// <summary>Holds requests of clients back as soon as something is missing, and lets them go when its gap has ended.</summary>
    private void ShowClients()
    {
        lock (_gate) clients?.Show(_isWanted && !_isHeld && !_group.IsLost && !(_hasBegun && _isSubscribed && _hasFlags));
    }
}
