using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>
/// Does this program deliver the events of a node's stream at this place, and which of them has it kept for the case that it has to? This program as
/// one member of a group of programs that read the same stream.
/// </summary>
/// <remarks>
/// <para>
/// Who delivers at each place is computed from the group's messages by <see cref="GroupState"/>. Every member keeps the events behind the watermark in
/// a ring. Who becomes the holder passes them on, and then what comes.
/// </para>
/// <para>One instance for each feed; it lives longer than a connection. Used under the lock of the feed.</para>
/// </remarks>
internal sealed class StreamMember
{
    private readonly Func<bool>? _isServing;
    private readonly bool _hasSuccessors;
    private readonly KeptEvents _kept;
    private GroupState _state = new();

    /// <summary>The claim by which this program has become the holder in this subscription; null: it has not.</summary>
    private MessageId? _won;

    private ulong _runId;
    private long _label;
    private long _heard; // the highest number of a message of this subscription, or its label
    private bool _isResigning;

    /// <summary>The numbers of the claims that were said in this subscription. Others may claim in this program's name.</summary>
    private readonly HashSet<long> _claims = [];

    /// <param name="name">The name of this member; no other program has it.</param>
    /// <param name="ringBytes">Size of the ring.</param>
    /// <param name="isServing">Whether the node is a master. A replica has a stream and a holder too, but there is nothing to deliver. Null: it always is one.</param>
    /// <param name="hasSuccessors">Whether another node can take the place of this one, and is listened to; null: if it need not be a master.</param>
    public StreamMember(string name, int ringBytes, IEventSink sink, IHolderDuties duties, Func<bool>? isServing = null, bool? hasSuccessors = null)
    {
        (Name, _isServing, _hasSuccessors, _kept) = (name, isServing, hasSuccessors ?? (isServing is not null), new KeptEvents(ringBytes));
        Delivery = new StreamDelivery(sink, duties, _kept, () => IsServing);
    }

    public string Name { get; }

    /// <summary>What delivery has got of the stream.</summary>
    public StreamDelivery Delivery { get; }

    public SettledPlaces Settled => Delivery.Settled;

    /// <summary>What is behind it is not known to be settled.</summary>
    public StreamPlace Unsettled => IsHolder ? Settled.Settled : Watermark;

    /// <summary>Whether delivery has nothing of this stream: it got nothing, or another member has to deliver it.</summary>
    public bool HasLeft => Delivery.HasLeft;

    /// <summary>What this program knew before it lost the state.</summary>
    public LastKnownState LastKnown { get; } = new();

    /// <summary>Whether delivery still settles what it got in an earlier office, though others have begun anew. Until then it claims nothing.</summary>
    public bool IsSettlingEarlier => Delivery.IsSettlingEarlier;

    /// <summary>Whether there is a subscription.</summary>
    public bool IsSubscribed { get; private set; }

    public bool IsKnown => _state.IsKnown;

    /// <summary>Whether it hears all events that the group wants, and not only the messages of the group.</summary>
    public bool IsHearing { get; private set; }

    /// <summary>The classes of events that it hears.</summary>
    public EventClass Classes { get; set; }

    /// <summary>The version of the configuration in force at this place.</summary>
    public long ConfigVersion => _state.ConfigVersion;

    /// <summary>The member that delivers here; null: none, or the state is not known.</summary>
    public string? Holder => _state.Holder;

    /// <summary>The claim in force, or the one that has ended last; null: the state is not known.</summary>
    public MessageId? Claim => _state.Claim;

    public StreamPlace Watermark => _state.Watermark;

    /// <summary>See <see cref="GroupState.Marker"/>.</summary>
    public long Marker => _state.Marker;

    /// <summary>Whether this program delivers here.</summary>
    public bool IsHolder => _won is { } won && _state.Claim == won && _state.Holder == Name;

    /// <summary>Whether there is something to deliver: the node is a master.</summary>
    public bool IsServing => _isServing?.Invoke() != false;

    /// <summary>Whether it passes events on: it is the holder, and has not said that it resigns.</summary>
    public bool IsDelivering => IsHolder && !_isResigning && IsServing;

    /// <summary>Whether it says how far the stream is settled. That of a replica is settled as far as the node repeats its master.</summary>
    public bool IsSettling => IsHolder && !_isResigning;

    /// <summary>Whether it holds by a claim of an earlier subscription. It may have missed events since then, so it must resign.</summary>
    public bool HoldsByLostClaim => !IsHolder && _state.Holder == Name;

    /// <summary>Whether it has said that it resigns. Until that comes back it says so again: a node that is busy refuses it.</summary>
    public bool HasResigned { get; private set; }

    /// <summary>Counts the times in office of this program, so that what was noted in one is not used in another.</summary>
    public int Office { get; private set; }

    /// <summary>The number of the present or last time in office of this program.</summary>
    public long Term { get; private set; }

    /// <summary>All events behind it are kept; null: this program's place is not known yet.</summary>
    public StreamPlace? Reach => _kept.Reach;

    public bool ReachesBack => _kept.Reach <= _state.Watermark;

    /// <summary>This program has not heard all that came behind it, and it is not known to be settled; null: it has heard everything.</summary>
    public StreamPlace? UnheardBehind => IsHolder || _kept.Reach <= _state.SettledBefore ? null : _state.SettledBefore;

    /// <summary>Bytes of the events that are kept.</summary>
    public int KeptBytes => _kept.Bytes;

    public long KeptCount => _kept.Count;

    /// <summary>How many events the last handover to this program has passed on.</summary>
    public long LastReplayed { get; private set; }

    /// <summary>Set when this program has won, and what it has kept does not reach back to all that is not settled: the events in between are missing.</summary>
    public (StreamPlace From, StreamPlace To)? Missing { get; private set; }

    public GroupSnapshot Snapshot() => _state.Snapshot();

    public bool IsPending(MessageId question) => _state.IsPending(question);

    /// <summary>A claim is said with this number.</summary>
    public void Claiming(long number) => _claims.Add(number);

    /// <summary>A replica repeats its master up to here, so nothing of it is this stream's to deliver. Positions from before the state was known do not count.</summary>
    public void NoteRepeated(in EventPosition position)
    {
        if (position.RunId == _runId && position.Marker != _label && _kept.Count == 0) Settled.Note(KeptEvents.PlaceOf(position));
    }

    /// <summary>Called when a subscription is confirmed, after <see cref="End"/> of the one before.</summary>
    /// <param name="label">The marker number by which events are counted until the state is known.</param>
    public void Begin(ulong runId, long label)
    {
        (_runId, _label, _heard) = (runId, label, label);
        _kept.Begin(runId, label);
        _claims.Clear();
        IsSubscribed = true;
    }

    /// <summary>
    /// Called when the subscription is lost. If another member can go on, what is not settled here is left to it. Where another node can take the place of this
    /// one, that is not before it has been said: if the node has gone for good, nobody can go on in its stream.
    /// </summary>
    /// <returns>What to say on another connection, with a number; null: nothing.</returns>
    public Func<long, GroupMessage>? End(bool canOthersGoOn)
    {
        Func<long, GroupMessage>? resign = null;
        if (IsHolder && canOthersGoOn)
        {
            Settled.Advance();
            resign = Resignation();
            if (!_hasSuccessors) Delivery.Leave();
        }

        Remember();
        if (IsSubscribed && !_state.IsKnown) LastKnown.LostUnknown(_heard);
        Delivery.End();
        if (IsSubscribed) _kept.End(_state.IsKnown ? _state.SettledBefore : null);
        (_state, _won, _isResigning, HasResigned, IsSubscribed) = (new GroupState(), null, false, false, false);
        return resign;
    }

    /// <summary>
    /// Called when the subscription to what is wanted has come into force, or is given up, or what is wanted is no longer known. Its place is the next
    /// message of the group.
    /// </summary>
    /// <param name="count">How many events have come since the last message that counts for positions.</param>
    public void Hear(bool isHearing, int count = 0)
    {
        if (IsHearing == isHearing) return;

        IsHearing = isHearing;
        if (IsSubscribed) _kept.Begin(_runId, _label, _state.IsKnown ? null : count);
    }

    /// <summary>An event has come.</summary>
    /// <param name="isWanted">Whether to keep it.</param>
    /// <returns>Whether to pass it on now.</returns>
    public bool Keep(in EventPosition position, in Notification notification, long readAt, bool isWanted = true)
    {
        if (IsHearing && isWanted && _kept.Add(position, notification, readAt)) NoteUnheard();
        return IsDelivering && Delivery.TryPass(position);
    }

    /// <summary>The position that all members know an event by, which was read before the state was known, and waited; null: it is for others to keep.</summary>
    public EventPosition? NameOf(in EventPosition position) => _kept.NameOf(position);

    /// <summary>Notes what has to be declared if another node takes the place of this one: the holder has not settled it, and it is not kept here.</summary>
    public void NoteUnheard()
    {
        if (IsKnown && IsServing) Delivery.Unheard = UnheardBehind is { } place ? _kept.At(place) : null;
    }

    /// <summary>The node has become a master, or is no longer taken for one that was replaced.</summary>
    /// <returns>Whether this program delivers from now on, and <see cref="Replay"/> is due.</returns>
    public bool Serve()
    {
        if (!IsDelivering) return false;

        Delivery.TakeOffice(Term);
        return true;
    }

    /// <summary>The node has taken the place of another one.</summary>
    /// <param name="at">The place in this stream.</param>
    public void Inherit(Estate estate, StreamPlace at) => Delivery.Inherit(estate, IsKnown ? at : null, isAnothers: IsKnown && Holder is { } holder && holder != Name);

    /// <summary>Takes the next message of the stream in.</summary>
    /// <param name="count">How many events have come since the last message that counts for positions.</param>
    public StreamOutcome Read(GroupMessage message, int count)
    {
        var (wasKnown, wasHolder, before) = (_state.IsKnown, IsHolder, _won);
        _heard = Math.Max(_heard, message.Number);
        if (message is GroupMessage.FreshClaim) Remember();
        if (!wasKnown) _kept.Heard(count);
        var inForce = _state.Read(message);
        var outcome = StreamOutcome.None;
        if (!wasKnown && _state.Learned is { } learned)
        {
            outcome |= StreamOutcome.Learned;
            _kept.Learn(learned);
            Rejoin();
        }

        if (_state.IsKnown) Delivery.Inherited.Known(new StreamPlace(Marker, 0));

        if (inForce is { } claim)
        {
            var isFresh = message is GroupMessage.FreshClaim && message.Id == claim;
            _won = claim.Member == Name && _claims.Contains(claim.Number) && IsHearing && (isFresh || _kept.Reach is not null) ? claim : null;
            if (isFresh)
            {
                outcome |= TakeFresh();
            }
            else if (_won is not null)
            {
                (Missing, Delivery.Behind) = (_state.SettledBefore < _kept.Reach ? (_state.SettledBefore, _kept.Reach!.Value) : null, Watermark);
            }
        }

        if (wasHolder && !(IsHolder && _won == before))
        {
            outcome |= StreamOutcome.Lost;
            Delivery.LeaveNow();
        }

        if (_state.Holder is { } other && other != Name) Delivery.LeaveNow(); // also what an old master has left

        if (!IsHearing) _kept.Begin(_runId, _label);
        else if (_state.IsKnown && _kept.Reach is null) _kept.BeginAt(Marker);
        if (IsHolder && _won != before) outcome |= Win();
        else if (_state.IsKnown && IsServing) SettleTo(Watermark); // who has just won passes it on first
        return outcome;
    }

    /// <summary>After <see cref="StreamOutcome.Won"/>: everything that is now this program's to deliver, oldest first.</summary>
    public void Replay(NotificationRing.Visitor pass) => LastReplayed = Delivery.Replay(pass);

    /// <summary>Visits what is kept, for tests.</summary>
    internal void Visit(NotificationRing.Visitor visit) => _kept.Visit(visit);

    /// <summary>From now on passes nothing on, and leaves what is not settled to the next holder. The message takes effect when it comes back.</summary>
    public Func<long, GroupMessage> BeginResigning()
    {
        Settled.Advance();
        (_isResigning, HasResigned) = (true, true);
        var resign = Resignation();
        Delivery.Leave();
        return resign;
    }

    /// <summary>From now on passes nothing on. What was passed on is still settled here: the program ends.</summary>
    public void BeginEnding() => _isResigning = true;

    /// <summary>What to say while <see cref="HoldsByLostClaim"/>.</summary>
    public GroupMessage ResignLostClaim(long number) => new GroupMessage.Resign(Name, number, _state.Claim!.Value, Watermark);

    private Func<long, GroupMessage> Resignation()
    {
        var (claim, watermark) = (_won!.Value, Settled.Settled);
        return number => new GroupMessage.Resign(Name, number, claim, watermark);
    }

    /// <summary>Everybody begins at the fresh claim. Only who made it passes on what it heard before.</summary>
    private StreamOutcome TakeFresh()
    {
        if (_won is null)
        {
            Rejoin();
            _kept.BeginAt(Marker, isFresh: true);
        }
        else
        {
            Missing = _kept.BeginAnew(Marker, LastKnown.WasDelivering ? Delivery.PassedBefore : null);
            Delivery.Behind = Watermark;
        }

        return StreamOutcome.Anew;
    }

    private StreamOutcome Win()
    {
        Office++;
        Term = Marker;
        (_isResigning, HasResigned) = (false, false);
        Settled.Begin(Watermark);
        if (IsServing) Delivery.TakeOffice(Term);
        return StreamOutcome.Won;
    }

    private void SettleTo(StreamPlace watermark)
    {
        _kept.CutTo(watermark);
        Delivery.Inherited.Settle(watermark);
    }

    /// <summary>What is known now may be forgotten.</summary>
    private void Remember()
    {
        if (_state.IsKnown) LastKnown.Remember(_state, _runId, IsHolder, isInStep: _kept.Reach is not null);
    }

    /// <summary>
    /// The state is known again, by others. If they have known it all the time, what delivery still has of this stream is theirs; else it is settled
    /// here first.
    /// </summary>
    private void Rejoin()
    {
        LastKnown.Rejoin(_state.Origin, HasLeft);
        if (LastKnown.IsContinued) Delivery.Leave();
        else Delivery.LeaveLater();
    }
}
