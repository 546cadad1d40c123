using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>What of a stream has delivery of this program got, and is it still this program's to settle?</summary>
/// <remarks>Used by <see cref="StreamMember"/>, under the lock of the feed.</remarks>
/// <param name="isServing">Whether the node is a master, so that there is something to deliver.</param>
internal sealed class StreamDelivery(IEventSink sink, IHolderDuties duties, KeptEvents kept, Func<bool> isServing)
{
    /// <summary>Up to here delivery has got everything of this subscription; null: it has got nothing, or had to give it up.</summary>
    private StreamPlace? _passed;

    /// <summary>The same of an earlier subscription.</summary>
    private StreamPlace? _passedBefore;
    private StreamPlace _beforeOffice; // in front of all that delivery may have got in this office
    private bool _hasLeftToSuccessor; // what this program delivered is the successor's; what is found later to be this stream's own is as well
    private long? _leavesAt; // what delivery got before this mark of the sink is still settled here; then this program leaves

    public SettledPlaces Settled { get; } = new(sink);

    public Inheritance Inherited { get; } = new(sink);

    /// <summary>Events up to here are not passed on, because they are settled; null: all are.</summary>
    public StreamPlace? Behind { get; set; }

    /// <summary>While the node was a master: the place behind which something was not heard here, see <see cref="StreamMember.UnheardBehind"/>.</summary>
    public EventPosition? Unheard { get; set; }

    /// <summary>Behind it delivery has got events that are not known to be settled, and are no longer kept; null: all of those are kept.</summary>
    private EventPosition? NotKeptBehind
    {
        get
        {
            var settled = Settled.Settled == default ? _beforeOffice : Settled.Settled;
            return kept.FullReach > settled ? kept.At(settled) : null;
        }
    }

    /// <summary>See <see cref="StreamMember.HasLeft"/>.</summary>
    public bool HasLeft { get; private set; } = true;

    /// <summary>See <see cref="StreamMember.IsSettlingEarlier"/>.</summary>
    public bool IsSettlingEarlier => _leavesAt is not null;

    /// <summary>Up to where the events of earlier subscriptions have been passed on, if this program goes on with them; null: it does not.</summary>
    public StreamPlace? PassedBefore => HasLeft ? null : _passedBefore;

    /// <summary>Notes an event as passed on.</summary>
    /// <returns>False if it is settled already.</returns>
    public bool TryPass(in EventPosition position)
    {
        var place = KeptEvents.PlaceOf(position);
        if (place <= Behind) return false;

        _passed = place;
        return true;
    }

    /// <summary>Passes on what the old master has left and what is kept, oldest first, without what delivery has got.</summary>
    /// <returns>How many events these were.</returns>
    public long Replay(NotificationRing.Visitor pass)
    {
        var (count, passed) = (Inherited.Replay(pass), _passed);
        kept.Visit((in position, database, eventName, key, fields, readAt, marker) =>
        {
            if (KeptEvents.PlaceOf(position) <= passed || !TryPass(position)) return;

            count++;
            pass(position, database, eventName, key, fields, readAt, marker);
        });
        return count;
    }

    /// <summary>Takes in what has been settled meanwhile.</summary>
    public void Advance()
    {
        Settled.Advance();
        if (_leavesAt is { } mark && sink.IsSettled(mark)) Leave();
    }

    public void TakeOffice(long term)
    {
        (HasLeft, _hasLeftToSuccessor, _leavesAt, _beforeOffice) = (false, false, null, new StreamPlace(term - 1, 0));
        duties.Hold(term);
    }

    /// <summary>What is not settled is another's to deliver. What a master that was replaced has left is its successor's to settle or to hand over.</summary>
    public void Leave()
    {
        if (!isServing()) return;

        _leavesAt = null;
        if (HasLeft) return;

        HasLeft = true;
        Unheard ??= NotKeptBehind; // until it is known how far others have settled it
        (_passed, _passedBefore) = (null, null);
        Settled.Begin(Settled.Settled); // what is handed over counts as settled in memory, but is not
        Inherited.Leave();
        duties.HandOver();
    }

    /// <summary>Leaves when what delivery has got so far is settled.</summary>
    public void LeaveLater()
    {
        if (!HasLeft) _leavesAt = sink.Mark();
    }

    /// <summary>Leaves, unless it does so later.</summary>
    public void LeaveNow()
    {
        if (_leavesAt is null) Leave();
    }

    /// <summary>The subscription is lost.</summary>
    public void End()
    {
        if (_passed is not null) (_passedBefore, _passed) = (_passed, null);
        Inherited.Unknown();
    }

    /// <summary>The node has taken the place of another one.</summary>
    /// <param name="at">The place in this stream; null: not known.</param>
    /// <param name="isAnothers">Whether another member holds this stream.</param>
    public void Inherit(Estate estate, StreamPlace? at, bool isAnothers)
    {
        Inherited.Add(estate, at);
        duties.Inherit(estate.Duties);
        if (estate.Mark is null) return;

        HasLeft = false;
        if (isAnothers) Leave();
    }

    /// <summary>The node has been replaced: all that is not known to be settled, for its successor. Empty: there is nothing.</summary>
    public IReadOnlyList<Estate> TakeEstate()
    {
        var estates = Inherited.TakeAll();
        var unheard = Unheard;
        Unheard = null;
        if (HasLeft && kept.Count == 0 && unheard is null) return estates;

        var (isPassedOn, passed) = (!HasLeft, _passed ?? _passedBefore);
        var (notKept, mark) = isPassedOn ? (NotKeptBehind, sink.Mark()) : (null, null);
        var isOwn = isPassedOn || _hasLeftToSuccessor;
        (HasLeft, _hasLeftToSuccessor, _leavesAt, _passed, _passedBefore) = (true, isPassedOn, null, null, null);
        Settled.Advance();
        Settled.Begin(Settled.Settled); // if the successor hands over what is left, that leaves memory, but is not settled
        return [.. estates, new Estate(kept.TakeAll(), isPassedOn ? passed : null, duties, isOwn, unheard, notKept, mark)];
    }
}
