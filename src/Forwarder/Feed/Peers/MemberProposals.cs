using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>What does a member of a group say next, and when? Asks for the state, answers, marks, claims and resigns.</summary>
/// <remarks>
/// It only proposes: what a message does is decided at its place in the stream, by <see cref="GroupState"/>. A proposal at a wrong time, or by two
/// members at once, is harmless. Used under the lock of the feed.
/// </remarks>
internal sealed class MemberProposals(StreamMember member, PeerTable peers, IHolderDuties duties, IGroupConfig config, MemberTimes times, TimeProvider time, MemberOrder order)
{
    /// <summary>A claim or resignation that has not come back yet.</summary>
    private (long Number, long SaidAt)? _waitsFor;
    private long _markedAt;
    private long _flowAt;     // when an event was last noticed; 0: never
    private long _brokerLostAt;
    private long _claimedAt;  // when the claim in force was heard; 0: it was not
    private bool _wasBrokerThere;
    private bool _isMarkDue;
    private long _askedAt;    // when a member last asked the holder for something; 0: never
    private bool _hasEvents;

    private readonly StateQuestions _questions = new(member, peers, order, times, time);

    /// <summary>Whether nobody has told the state, and it is time for a fresh claim.</summary>
    public bool IsUnanswered => _questions.Overdue is not null;

    /// <summary>Whether no events are wanted: then it does not matter who delivers them.</summary>
    private bool IsIdle => member.Classes == EventClass.None && config.Classes == EventClass.None && (_askedAt == 0 || Passed(_askedAt, times.AskedFor, time.GetTimestamp()));

    /// <summary>The program ends, and claims nothing any more.</summary>
    public bool IsEnding { get; set; }

    public HolderSilence Silence { get; } = new(times, time);

    /// <summary>An event has come. Called for each.</summary>
    public void EventCame() => _hasEvents = true;

    /// <summary>Something has changed that the others should know soon.</summary>
    public void MarkSoon() => _isMarkDue = true;

    /// <summary>A new subscription: nothing of what was said before is waited for.</summary>
    public void Begin()
    {
        (_waitsFor, _markedAt, _claimedAt) = (null, 0, 0);
        _questions.Begin();
        Silence.Begin();
    }

    /// <summary>A message has been read, and has had its effect.</summary>
    /// <param name="saidAt">When this program said it; null if another member did.</param>
    public void Heard(GroupMessage message, StreamOutcome outcome, ClockReading? saidAt)
    {
        var now = time.GetTimestamp();
        peers.Heard(message);
        if (message is GroupMessage.Ask) _askedAt = now;
        if (message is GroupMessage.Claim or GroupMessage.FreshClaim && member.Claim == message.Id) _claimedAt = now;
        if (saidAt is { } said)
        {
            Silence.OwnHeard(said, now);
            if (_waitsFor?.Number == message.Number) _waitsFor = null;
        }

        _questions.Heard(message, isOwn: saidAt is not null);
        var isNew = outcome.HasFlag(StreamOutcome.Learned) || outcome.HasFlag(StreamOutcome.Anew) || (message is GroupMessage.Resign && member.Holder is null);
        if (isNew || message.Member == member.Holder) Silence.HolderHeard(now);

        // The holder's broker is away: who could deliver says so at once.
        if (message is GroupMessage.Mark { IsBrokerThere: false, Holder: not null } && message.Member == member.Holder && !member.IsHolder)
        {
            _isMarkDue |= duties.IsBrokerThere;
        }
    }

    /// <summary>What is to be said now. Each of them gets a number of its own when it is said.</summary>
    /// <param name="kept">What the last holder has kept; null: it is not known yet.</param>
    public IReadOnlyList<Func<long, GroupMessage>> Due(KeptWatermark? kept)
    {
        if (!member.IsSubscribed) return [];

        var now = time.GetTimestamp();
        if (_hasEvents)
        {
            (_hasEvents, _flowAt) = (false, now);
            Silence.EventNoticed(now);
        }

        NoteBroker(now);
        if (IsIdle && Silence.HeardAt != 0) Silence.HolderHeard(now);
        if (!member.IsKnown) return Ask(now, kept);

        var due = new List<Func<long, GroupMessage>>();
        _questions.AddAnswers(due);
        if (member.HoldsByLostClaim && MaySayAgain(now)) due.Add(WaitFor(member.ResignLostClaim, now));
        else if (member.IsHolder) AddAsHolder(due, now);
        else if (IsClaimDue(now) && MaySayAgain(now)) AddClaim(due, now);

        AddMark(due, now);
        return due;
    }

    private IReadOnlyList<Func<long, GroupMessage>> Ask(long now, KeptWatermark? kept)
    {
        if (_questions.Ask(kept is { IsYoung: true }) is { } question)
        {
            _waitsFor = null;
            return [question];
        }

        // Without a seat it takes one first.
        if (_questions.Overdue is not { } asked || kept is not { } there || !member.IsHearing || member.IsSettlingEarlier || IsEnding || !MaySayAgain(now))
        {
            return [];
        }

        config.Begin();
        return config.Version == 0 ? [] : [WaitFor(number => FreshClaim(number, asked, there), now)];
    }

    /// <summary>All members say at once that their broker has gone, or is back.</summary>
    private void NoteBroker(long now)
    {
        if (duties.IsBrokerThere == _wasBrokerThere) return;

        (_wasBrokerThere, _isMarkDue) = (duties.IsBrokerThere, true);
        if (!_wasBrokerThere) _brokerLostAt = now;
    }

    /// <summary>Resigns if its broker has gone, and a member says a moment later that its own is there: then the broker itself is well.</summary>
    private void AddAsHolder(List<Func<long, GroupMessage>> due, long now)
    {
        if ((Yields() || member.HasResigned) && MaySayAgain(now))
        {
            due.Add(WaitFor(member.BeginResigning(), now));
            return;
        }

        if (_wasBrokerThere || member.Delivery.Inherited.IsUnsettled || !Passed(_brokerLostAt, times.BrokerGrace, now)) return;

        if (peers.There.Any(peer => peer.IsBrokerThere && peer.Reach <= member.Unsettled && peer.MarkedAt > _brokerLostAt) && MaySayAgain(now))
        {
            due.Add(WaitFor(member.BeginResigning(), now));
        }
    }

    /// <summary>Whether the stream of a replica should be held by another member that is there: by the one that holds its master's stream.</summary>
    private bool Yields() => !member.IsServing && order.Preferred() is { } other && other != member.Name && peers.There.Any(peer => peer.Name == other && peer.Reach <= member.Unsettled);

    /// <summary>A claim that does not reach back is void while the marks that count name a member that does. If none is there, a mark with each claim makes those of the dead ones count no more.</summary>
    private void AddClaim(List<Func<long, GroupMessage>> due, long now)
    {
        due.Add(WaitFor(Claim, now));
        _isMarkDue |= !member.ReachesBack && !peers.There.Any(peer => peer.Reach <= member.Watermark);
    }

    private GroupMessage FreshClaim(long number, long asked, KeptWatermark kept)
    {
        member.Claiming(number);
        return new GroupMessage.FreshClaim(member.Name, number, asked, kept.Watermark > member.LastKnown.Watermark ? kept.Watermark : member.LastKnown.Watermark, config.Version);
    }

    private void AddMark(List<Func<long, GroupMessage>> due, long now)
    {
        var isFlowing = _flowAt != 0 && !Passed(_flowAt, times.FlowsFor, now);
        var interval = IsIdle ? times.Idle : !member.IsHearing ? times.Seatless : member.IsHolder ? (isFlowing ? times.HolderFlowing : times.Quiet) : (isFlowing ? times.Quiet : times.StandbyQuiet);
        var isProbeDue = member.IsHearing && !member.IsHolder && Silence.IsProbeDue(now) && Passed(_markedAt, times.Probe, now);
        if (!_isMarkDue && !isProbeDue && _markedAt != 0 && !Passed(_markedAt, interval - (times.Look / 2), now)) return;

        (_markedAt, _isMarkDue) = (now, false);
        due.Add(Mark);
    }

    private GroupMessage Mark(long number)
    {
        if (member.IsHolder) member.Delivery.Advance();
        var holder = member.IsHolder ? new GroupMessage.HolderMark(member.Claim!.Value, member.Settled.Settled) : null;
        return new GroupMessage.Mark(member.Name, number, member.Reach, duties.IsBrokerThere, holder) { Classes = member.Classes };
    }

    private GroupMessage Claim(long number)
    {
        member.Claiming(number);
        return new GroupMessage.Claim(member.Name, number, member.Claim!.Value, member.Reach!.Value);
    }

    private bool IsClaimDue(long now)
    {
        if (member.Reach is null || member.IsSettlingEarlier || IsEnding) return false;

        if (member.Delivery.Inherited.IsOwed && (_claimedAt == 0 || Passed(_claimedAt, times.Settling, now))) return true;

        var delay = times.Rank * RankToClaim();
        if (!member.ReachesBack) delay += times.NoReach;
        if (!duties.IsBrokerThere && peers.There.Any(peer => peer.IsBrokerThere && peer.Name != member.Holder)) delay += times.NoBroker;

        return member.Holder is null ? Passed(Silence.HeardAt, delay, now) : Silence.IsProved(times.HolderSilence + delay, now);
    }

    /// <summary>Who reaches back to the watermark comes first, then who has a link to the broker, then by <see cref="MemberOrder"/>.</summary>
    private int RankToClaim()
    {
        var mine = (!member.ReachesBack, !duties.IsBrokerThere);
        return peers.There.Count(peer => peer.Reach is { } reach && peer.Name != member.Holder && IsBefore((reach > member.Watermark, !peer.IsBrokerThere), peer.Name, mine));
    }

    private bool IsBefore((bool, bool) theirs, string other, (bool, bool) mine) => theirs == mine ? order.IsBefore(other) : theirs.CompareTo(mine) < 0;

    private bool MaySayAgain(long now) => _waitsFor is not { } said || Passed(said.SaidAt, times.Again, now);

    private Func<long, GroupMessage> WaitFor(Func<long, GroupMessage> say, long now) => number =>
    {
        _waitsFor = (number, now);
        return say(number);
    };

    private bool Passed(long since, TimeSpan span, long now) => now - since >= Ticks(span);

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
