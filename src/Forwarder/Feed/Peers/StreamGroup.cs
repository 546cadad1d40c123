using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>What does a feed need to take part in a group? One instance for each feed. Used under the lock of the feed, unless stated otherwise.</summary>
internal sealed class StreamGroup
{
    private readonly SeatPlan _seats;
    private volatile bool _hasSeat = true;
    private volatile StreamGroupStatus _status = new();

    /// <param name="duties">Of this feed.</param>
    /// <param name="isServing">See <see cref="StreamMember"/>.</param>
    /// <param name="order">Who is to say something first; null: by name.</param>
    public StreamGroup(
        GroupMembership membership, IHolderDuties duties, string member, NodeFeedOptions options, IEventSink sink, TimeProvider time, Func<bool>? isServing = null, MemberOrder? order = null)
    {
        (Envelope, Duties, Config, Times) = (membership.Envelope, duties, membership.Config, membership.Times);
        Member = new StreamMember(member, options.GroupBytes, sink, duties, isServing, options.HasSuccessors);
        Peers = new PeerTable(member, time);
        Proposals = new MemberProposals(Member, Peers, duties, Config, Times, time, order ?? new MemberOrder(member));
        _seats = new SeatPlan(Member, Peers, options.GroupSeats, time);
    }

    public GroupEnvelope Envelope { get; }

    /// <summary>Whether this member is to hear the events. Any thread may read it.</summary>
    public bool HasSeat => _hasSeat;

    public IHolderDuties Duties { get; }

    public IGroupConfig Config { get; }

    public StreamMember Member { get; }

    public PeerTable Peers { get; }

    public MemberProposals Proposals { get; }

    public MemberTimes Times { get; }

    /// <summary>Whether another member is there that has kept all that is not settled.</summary>
    public bool CanOthersGoOn => Peers.There.Any(peer => peer.Reach <= Member.Unsettled);

    /// <summary>Whether another member is known to deliver the stream.</summary>
    public bool IsHeldByAnother => Member is { IsKnown: true, Holder: { } holder } && holder != Member.Name;

    /// <summary>The program ends: everything up to this position has been passed on, and nothing behind it. It was read before this moment's answer, or later. Null: it goes on.</summary>
    public (ClockReading At, EventPosition Last)? Ended { get; set; }

    /// <summary>Whether the program ends, and no other member is there.</summary>
    public bool IsLastToEnd => Proposals.IsEnding && !Peers.There.Any();

    /// <summary>
    /// The message with which the configuration of this program has come into force in this stream, by its number. Events before it are judged by the former one,
    /// also those that are read then and passed on later.
    /// </summary>
    public long ConfiguredAt { get; set; }

    /// <summary>Since when this program hears what its options want, as there is no configuration yet: Redis may keep another one. Null: there is one.</summary>
    public (ClockReading At, EventPosition Position)? HearsByOptionsSince { get; set; }

    /// <summary>What is to be said on the next connection to the node with this run id; null: nothing.</summary>
    public (ulong RunId, Func<long, GroupMessage> Message)? Owed { get; set; }

    /// <summary>The run id of the node that is subscribed to.</summary>
    public ulong RunId { get; private set; }

    /// <summary>For reports, from any thread: replaced as a whole.</summary>
    public StreamGroupStatus Status => _status;

    public void Begin(ulong runId, long label)
    {
        End(out _);
        RunId = runId;
        Duties.Subscribed(runId);
        Member.Begin(runId, label);
        Proposals.Begin();
    }

    /// <summary>The subscription is lost. Does nothing if there is none.</summary>
    public void End(out bool canOthersGoOn)
    {
        canOthersGoOn = CanOthersGoOn;
        if (!Member.IsSubscribed) return;

        if (Member.End(canOthersGoOn) is { } resign) Owed = (RunId, resign);
        _status = _status with { IsKnown = false, IsHolder = false, Holder = null };
    }

    /// <summary>Takes or gives up a seat when it is time. Returns whether that has changed.</summary>
    public bool PlanSeat()
    {
        var had = _hasSeat;
        if (Member.IsSubscribed) _hasSeat = _seats.ShouldHave(had, Proposals.IsUnanswered);
        return had != _hasSeat;
    }

    public void Show(StreamGroupStatus status) => _status = status;
}
