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
/// <param name="name">The name of this member; no other program has it.</param>
/// <param name="ringBytes">Size of the ring.</param>
internal sealed class StreamMember(string name, int ringBytes, IEventSink sink, IHolderDuties duties)
{
    private readonly KeptEvents _kept = new(ringBytes);
    private GroupState _state = new();

    /// <summary>The claim by which this program has become the holder in this subscription; null: it has not.</summary>
    private MessageId? _won;

    /// <summary>Up to here delivery has got everything of this subscription; null: it has got nothing, or had to give it up.</summary>
    private StreamPlace? _passed;

    /// <summary>What the next <see cref="Replay"/> leaves out, because it is settled; null: it leaves nothing out.</summary>
    private StreamPlace? _replayBehind;
    private EventPosition _lostBehind;
    private bool _wasDelivering; // when the last subscription was lost in which the state was known
    private ulong _runId;
    private long _label;
    private MessageId _origin; // of the state that was known last
    private long _heard;       // the highest number of a message of this subscription, or its label
    private long? _lostBehindNumber; // the same of the first subscription that was lost before the state was ever known; null: none was lost so
    private long? _leavesAt;   // what delivery got before this mark of the sink is still settled here; then this program leaves
    private bool _isResigning;

    /// <summary>The numbers of the claims that were said in this subscription. Others may claim in this program's name.</summary>
    private readonly HashSet<long> _claims = [];

    public string Name => name;

    public SettledPlaces Settled { get; } = new(sink);

    /// <summary>What is behind it is not known to be settled.</summary>
    public StreamPlace Unsettled => IsHolder ? Settled.Settled : Watermark;

    /// <summary>Whether delivery has nothing of this stream: it got nothing, or another member has to deliver it.</summary>
    public bool HasLeft { get; private set; } = true;

    /// <summary>
    /// Whether somebody has known the state all the time since this program knew it last. If not, others may have begun anew without what this
    /// program had kept.
    /// </summary>
    public bool IsContinued { get; private set; } = true;

    /// <summary>Whether delivery still settles what it got in an earlier office, though others have begun anew. Until then it claims nothing.</summary>
    public bool IsSettlingEarlier => _leavesAt is not null;

    /// <summary>The origin of the state that this program has known last, see <see cref="GroupState.Origin"/>.</summary>
    public MessageId KnownOrigin => _origin;

    /// <summary>The watermark that this program has known last; the beginning if it has known none.</summary>
    public StreamPlace KnownWatermark => KeptEvents.PlaceOf(_lostBehind);

    /// <summary>If not <see cref="IsContinued"/>: the place behind which this program knows of no delivery; null: delivery goes on with it here.</summary>
    public EventPosition? Undelivered { get; private set; }

    /// <summary>Whether there is a subscription.</summary>
    public bool IsSubscribed { get; private set; }

    public bool IsKnown => _state.IsKnown;

    /// <summary>Whether it hears the events, and not only the messages of the group.</summary>
    public bool IsHearing { get; private set; }

    /// <summary>The member that delivers here; null: none, or the state is not known.</summary>
    public string? Holder => _state.Holder;

    /// <summary>The claim in force, or the one that has ended last; null: the state is not known.</summary>
    public MessageId? Claim => _state.Claim;

    public StreamPlace Watermark => _state.Watermark;

    /// <summary>See <see cref="GroupState.Marker"/>.</summary>
    public long Marker => _state.Marker;

    /// <summary>Whether this program delivers here.</summary>
    public bool IsHolder => _won is { } won && _state.Claim == won && _state.Holder == name;

    /// <summary>Whether it passes events on: it is the holder, and has not said that it resigns.</summary>
    public bool IsDelivering => IsHolder && !_isResigning;

    /// <summary>Whether it holds by a claim of an earlier subscription. It may have missed events since then, so it must resign.</summary>
    public bool HoldsByLostClaim => !IsHolder && _state.Holder == name;

    /// <summary>Counts the times in office of this program, so that what was noted in one is not used in another.</summary>
    public int Office { get; private set; }

    /// <summary>The number of the present or last time in office of this program.</summary>
    public long Term { get; private set; }

    /// <summary>
    /// Whether this program has known the state in an earlier subscription. Then it has kept or passed on everything up to the loss of that one.
    /// </summary>
    public bool WasInStep { get; private set; }

    /// <summary>All events behind it are kept; null: this program's place is not known yet.</summary>
    public StreamPlace? Reach => _kept.Reach;

    public bool ReachesBack => _kept.Reach <= _state.Watermark;

    /// <summary>Bytes of the events that are kept.</summary>
    public int KeptBytes => _kept.Bytes;

    public long KeptCount => _kept.Count;

    /// <summary>How many events the last handover to this program has passed on.</summary>
    public long LastReplayed { get; private set; }

    /// <summary>Set when this program has won, and what it has kept does not reach back to the watermark: the events in between are missing.</summary>
    public (StreamPlace From, StreamPlace To)? Missing { get; private set; }

    public GroupSnapshot Snapshot() => _state.Snapshot();

    public bool IsPending(MessageId question) => _state.IsPending(question);

    /// <summary>A claim is said with this number.</summary>
    public void Claiming(long number) => _claims.Add(number);

    /// <summary>Takes in what has been settled meanwhile.</summary>
    public void Advance()
    {
        Settled.Advance();
        if (_leavesAt is { } mark && sink.IsSettled(mark)) Leave();
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

    /// <summary>Called when the subscription is lost. If another member can go on, what is not settled here is left to it.</summary>
    /// <returns>What to say on another connection, with a number; null: nothing.</returns>
    public Func<long, GroupMessage>? End(bool canOthersGoOn)
    {
        Func<long, GroupMessage>? resign = null;
        if (IsHolder && canOthersGoOn)
        {
            Settled.Advance();
            resign = Resignation();
            Leave();
        }

        Remember();
        if (IsSubscribed && !_state.IsKnown && !WasInStep) _lostBehindNumber ??= _heard;
        if (IsSubscribed) _kept.End(_state.Watermark);
        (_state, _won, _passed, _isResigning, IsSubscribed) = (new GroupState(), null, null, false, false);
        return resign;
    }

    /// <summary>Called when the subscription to the events has come into force, or is given up. Its place is the next message of the group.</summary>
    public void Hear(bool isHearing)
    {
        if (IsHearing == isHearing) return;

        IsHearing = isHearing;
        if (_state.IsKnown) _kept.Begin(_runId, _label);
    }

    /// <summary>Keeps an event that has come.</summary>
    /// <returns>Whether to pass it on now.</returns>
    public bool Keep(in EventPosition position, in Notification notification, long readAt)
    {
        _kept.Add(position, notification, readAt);
        if (!IsDelivering) return false;

        _passed = KeptEvents.PlaceOf(position);
        return true;
    }

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

        if (inForce is { } claim)
        {
            var isFresh = message is GroupMessage.FreshClaim && message.Id == claim;
            _won = claim.Member == name && _claims.Contains(claim.Number) && IsHearing && (isFresh || _kept.Reach is not null) ? claim : null;
            if (isFresh) outcome |= TakeFresh();
            else if (_won is not null) (Missing, _replayBehind) = (ReachesBack ? null : (Watermark, _kept.Reach!.Value), Watermark);
        }

        if (wasHolder && !(IsHolder && _won == before))
        {
            outcome |= StreamOutcome.Lost;
            if (_leavesAt is null) Leave();
        }

        if (!IsHearing) _kept.Begin(_runId, _label);
        else if (_state.IsKnown && _kept.Reach is null) _kept.BeginAt(Marker);
        if (IsHolder && _won != before) outcome |= Win();
        else if (_state.IsKnown) _kept.CutTo(Watermark); // who has just won passes it on first
        return outcome;
    }

    /// <summary>After <see cref="StreamOutcome.Won"/>: everything that is now this program's to deliver, oldest first.</summary>
    public void Replay(NotificationRing.Visitor pass)
    {
        var (count, passed) = (0L, _passed);
        _kept.Visit((in position, database, eventName, key, fields, readAt, marker) =>
        {
            var place = KeptEvents.PlaceOf(position);
            if (place <= _replayBehind || place <= passed) return;

            count++;
            pass(position, database, eventName, key, fields, readAt, marker);
            _passed = place;
        });
        LastReplayed = count;
    }

    /// <summary>Visits what is kept, for tests.</summary>
    internal void Visit(NotificationRing.Visitor visit) => _kept.Visit(visit);

    /// <summary>From now on passes nothing on, and leaves what is not settled to the next holder. The message takes effect when it comes back.</summary>
    public Func<long, GroupMessage> BeginResigning()
    {
        Settled.Advance();
        _isResigning = true;
        var resign = Resignation();
        Leave();
        return resign;
    }

    /// <summary>From now on passes nothing on. What was passed on is still settled here: the program ends.</summary>
    public void BeginEnding() => _isResigning = true;

    /// <summary>What to say while <see cref="HoldsByLostClaim"/>.</summary>
    public GroupMessage ResignLostClaim(long number) => new GroupMessage.Resign(name, number, _state.Claim!.Value, Watermark);

    private Func<long, GroupMessage> Resignation()
    {
        var (claim, watermark) = (_won!.Value, Settled.Settled);
        return number => new GroupMessage.Resign(name, number, claim, watermark);
    }

    /// <summary>Everybody begins at the fresh claim. Only who made it passes on what it heard before.</summary>
    private StreamOutcome TakeFresh()
    {
        if (_won is null)
        {
            Rejoin();
            _kept.BeginAt(Marker);
        }
        else
        {
            Missing = _kept.BeginAnew(Marker, isPassedOn: _wasDelivering && !HasLeft);
            _replayBehind = Watermark;
        }

        return StreamOutcome.Anew;
    }

    private StreamOutcome Win()
    {
        Office++;
        Term = Marker;
        (_isResigning, HasLeft, _leavesAt) = (false, false, null);
        Settled.Begin(Watermark);
        duties.Hold(Term);
        return StreamOutcome.Won;
    }

    /// <summary>What is known now may be forgotten.</summary>
    private void Remember()
    {
        if (!_state.IsKnown || _kept.Reach is null) return;

        (WasInStep, _wasDelivering) = (true, IsHolder);
        (_origin, _lostBehind) = (_state.Origin, new EventPosition(_runId, Watermark.Marker, Watermark.Count));
    }

    /// <summary>
    /// The state is known again, by others. If they have known it all the time, what delivery still has of this stream is theirs; else it is settled
    /// here first.
    /// </summary>
    private void Rejoin()
    {
        // Who was never in step cannot compare origins, but whoever began anew after its loss has not heard what it lost.
        IsContinued = WasInStep ? _state.Origin == default || _state.Origin == _origin : !(_lostBehindNumber < _state.Origin.Number);
        _lostBehindNumber = null;
        Undelivered = IsContinued || !WasInStep || (_wasDelivering && !HasLeft) ? null : _lostBehind;
        if (IsContinued) Leave();
        else if (!HasLeft) _leavesAt = sink.Mark();
    }

    private void Leave()
    {
        _leavesAt = null;
        if (HasLeft) return;

        HasLeft = true;
        _passed = null;
        Settled.Begin(Settled.Settled); // what is handed over counts as settled in memory, but is not
        duties.HandOver();
    }
}
