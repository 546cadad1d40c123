using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>Which events has a member kept for the case that it has to deliver them, and from which place on are they complete?</summary>
/// <remarks>
/// <para>
/// Until the state of the group is known, events are counted from the subscription on. When it is told, those behind the question get the positions
/// that they have for all members.
/// </para>
/// <para>What was kept when a subscription was lost stays, for the case that nobody else is there. Used under the lock of the feed.</para>
/// <para>An event may be kept later than the messages behind it are read, as it waits until the node has said that it is a master.</para>
/// </remarks>
/// <param name="maxBytes">Beyond it the oldest events are forgotten.</param>
internal sealed class KeptEvents(int maxBytes)
{
    private NotificationRing _ring = new(maxBytes);
    private NotificationRing _spare = new(maxBytes);

    /// <summary>Events of earlier subscriptions.</summary>
    private readonly NotificationRing _earlier = new(maxBytes);

    private StreamPlace? _earlierFrom;  // what is behind it was to be delivered when the subscription was lost; null: the state was never known
    private StreamPlace? _earlierReach; // what is behind it was kept then; null: nothing was
    private bool _hasEarlierForgotten;  // an earlier subscription in which the state was not known had too many to keep
    private long? _since;               // the label of the first subscription of which something may be kept
    private ulong _runId;
    private int? _from; // events of this subscription up to this count are not kept; null: all are
    private bool _isOn;
    private readonly EventNames _names = new();

    /// <summary>All events behind it are kept; null while the state is not known.</summary>
    public StreamPlace? Reach { get; private set; }

    /// <summary>The same with what is kept of earlier subscriptions; null: not known.</summary>
    public StreamPlace? FullReach => _earlierFrom is null ? Reach : _earlier.HasOverflowed ? PlaceOf(_earlier.LastDropped) : _earlierReach;

    public int Bytes => _ring.Bytes + _earlier.Bytes;

    public long Count => _ring.Count + _earlier.Count;

    /// <summary>The position in this stream, for others.</summary>
    public EventPosition At(StreamPlace place) => new(_runId, place.Marker, place.Count);

    public static StreamPlace PlaceOf(in EventPosition position) => new(position.Marker, position.Count);

    /// <param name="label">The marker number of the positions until the state is known.</param>
    /// <param name="from">How many events have come since the subscription; null: it begins now.</param>
    public void Begin(ulong runId, long label, int? from = null)
    {
        _ring.Clear();
        (_runId, _from, Reach, _isOn) = (runId, from, null, true);
        _since ??= label;
        _names.Begin(label);
    }

    /// <summary>The subscription is lost.</summary>
    /// <param name="watermark">Null: the state was not known.</param>
    public void End(StreamPlace? watermark)
    {
        if (watermark is not null) (_earlierFrom, _earlierReach) = (watermark, Reach);
        if (watermark is not null && Reach is null)
        {
            _ring.Clear(); // counted from the middle between two messages: the positions are not those of the stream
        }

        _hasEarlierForgotten |= watermark is null && _ring.HasOverflowed;
        _ring.Drain((in position, database, eventName, key, fields, readAt, _) => _earlier.Add(position, database, eventName, key, fields, readAt));
        (Reach, _isOn) = (null, false);
    }

    /// <summary>See <see cref="EventNames.Of"/>.</summary>
    public EventPosition? NameOf(in EventPosition position) => _names.Of(position);

    /// <returns>Whether the oldest were forgotten for it.</returns>
    public bool Add(in EventPosition position, in Notification notification, long readAt)
    {
        var ring = _isOn ? _ring : _earlier; // while there is no subscription, it belongs to the one before
        var hasForgotten = ring.Add(position, notification.Database, notification.Event, notification.Key, notification.Fields, readAt);
        if (hasForgotten && Reach is not null) Reach = PlaceOf(_ring.LastDropped);
        return hasForgotten;
    }

    /// <summary>See <see cref="EventNames.Heard"/>.</summary>
    public void Heard(int count) => _names.Heard(count);

    /// <summary>Gives the kept events their positions, now that the numbers of the messages are known. Those before the question are others' to keep.</summary>
    public void Learn(LearnedState learned)
    {
        if (_from is not null)
        {
            Begin(_runId, _names.Label); // it was kept from the middle on: the next message is the first place that is known
            return;
        }

        _names.Learn(learned, _runId);
        StreamPlace? first = null;
        var hasForgotten = _ring.HasOverflowed;
        Rename(own => first ??= PlaceOf(own));
        Reach = hasForgotten && first is { } place ? place with { Count = place.Count - 1 } : new StreamPlace(learned.Markers[0], 0);
        Forget();
    }

    /// <summary>Another member has begun anew here. What was heard before is its to deliver.</summary>
    /// <param name="marker">The number of the message that it begins with.</param>
    /// <param name="isFresh">That message is a fresh claim.</param>
    public void BeginAt(long marker, bool isFresh = false)
    {
        if (isFresh && Reach is null)
        {
            _names.Drop();
            Rename(static _ => { }); // what a promoted replica sent before this subscription is known by its own positions
        }
        else
        {
            _ring.Clear();
        }

        Reach = new StreamPlace(marker, 0);
        Forget();
    }

    /// <summary>
    /// This program has begun anew: it also delivers what it kept of earlier subscriptions. What it has heard of this one gets the number before that
    /// of the fresh claim. So all positions are in order, and behind everything that an earlier holder can have settled.
    /// </summary>
    /// <param name="marker">The number of the fresh claim.</param>
    /// <param name="passed">Delivery has got earlier events up to here before, and goes on with them; null: it does not.</param>
    /// <returns>What is missing of all that it was to keep, because too much had come, or because it had no seat; null: nothing.</returns>
    public (StreamPlace From, StreamPlace To)? BeginAnew(long marker, StreamPlace? passed)
    {
        (_ring, _spare) = (_spare, _ring);
        _ring.Clear();
        var hasForgotten = _earlier.HasOverflowed;
        if (passed is null && hasForgotten && _earlierReach is not null) _earlierReach = PlaceOf(_earlier.LastDropped);
        _earlier.Drain((in position, database, eventName, key, fields, readAt, _) =>
        {
            if (passed is null || PlaceOf(position) > passed) _ring.Add(position, database, eventName, key, fields, readAt);
        });

        var first = new StreamPlace(marker - 1, _from ?? 0);
        var isOwnForgotten = _spare.HasOverflowed && _names.IsLabelled(_spare.LastDropped);
        Reach ??= isOwnForgotten ? first with { Count = _spare.LastDropped.Count } : first; // if it was told the state before, what came before that place is gone
        if (_spare.HasOverflowed && !isOwnForgotten && _earlierReach is { } before)
        {
            _earlierReach = Later(before, PlaceOf(_spare.LastDropped)); // a promoted replica sent it before this subscription
        }

        _names.Number(first.Marker);
        _spare.Drain((in position, database, eventName, key, fields, readAt, _) => _ring.Add(NameOf(position)!.Value, database, eventName, key, fields, readAt));
        hasForgotten |= _hasEarlierForgotten || _spare.HasOverflowed || _ring.HasOverflowed;
        if (_ring.HasOverflowed)
        {
            (_earlierReach, Reach) = (_earlierReach is null ? null : PlaceOf(_ring.LastDropped), Later(Reach.Value, PlaceOf(_ring.LastDropped)));
        }

        if (_earlierReach > Reach) Reach = _earlierReach;
        var missing = Missing(Reach.Value, passed, hasForgotten, isOwnForgotten || _hasEarlierForgotten);
        Forget();
        return missing;
    }

    private static StreamPlace Later(StreamPlace one, StreamPlace other) => one > other ? one : other;

    /// <param name="reach">Everything behind it is kept.</param>
    /// <param name="passed">Delivery goes on with earlier events up to here; null: it has none of them.</param>
    /// <param name="hasForgotten">Whether too much had come to keep it all.</param>
    /// <param name="isSinceLost">Whether that was, at least in part, since the state is not known any more.</param>
    private (StreamPlace From, StreamPlace To)? Missing(StreamPlace reach, StreamPlace? passed, bool hasForgotten, bool isSinceLost)
    {
        // Who never knew the state has kept all since its first subscription, unless that was too much.
        var since = new StreamPlace(_since ?? _names.Label, 0);
        if ((passed ?? _earlierFrom) is not { } from) return hasForgotten && since < reach ? (since, reach) : null;

        var to = passed is null ? _earlierReach ?? reach : Later(LastDroppedOf(_earlier), LastDroppedOf(_ring));
        if (from >= to) (from, to) = (since, default);
        if (isSinceLost) to = reach;
        return from < to ? (from, to) : null;
    }

    private static StreamPlace LastDroppedOf(NotificationRing ring) => ring.HasOverflowed ? PlaceOf(ring.LastDropped) : default;

    /// <summary>Forgets events up to this place: they are settled.</summary>
    public void CutTo(StreamPlace watermark) => _ring.CutTo(At(watermark));

    public void Visit(NotificationRing.Visitor visit) => _ring.Visit(visit);

    /// <summary>Gives away all events that are kept, those of earlier subscriptions too; null: there are none.</summary>
    public NotificationRing? TakeAll()
    {
        if (Count == 0) return null;

        var all = new NotificationRing(int.MaxValue);
        NotificationRing.Visitor add = (in position, database, eventName, key, fields, readAt, _) => all.Add(position, database, eventName, key, fields, readAt);
        _earlier.Drain(add);
        _ring.Drain(add);
        return all;
    }

    /// <summary>Gives all kept events the names that they have now, and drops those that are others' to keep.</summary>
    private void Rename(Action<EventPosition> kept)
    {
        (_ring, _spare) = (_spare, _ring);
        _ring.Clear();
        _spare.Drain((in position, database, eventName, key, fields, readAt, _) =>
        {
            if (NameOf(position) is not { } name) return;

            if (_names.IsLabelled(position)) kept(name);
            _ring.Add(name, database, eventName, key, fields, readAt);
        });
    }

    private void Forget()
    {
        _earlier.Clear();
        _spare.Clear();
        (_from, _since, _earlierFrom, _earlierReach, _hasEarlierForgotten) = (null, null, null, null, false);
    }
}
