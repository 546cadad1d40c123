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
/// </remarks>
/// <param name="maxBytes">Beyond it the oldest events are forgotten.</param>
internal sealed class KeptEvents(int maxBytes)
{
    private NotificationRing _ring = new(maxBytes);
    private NotificationRing _spare = new(maxBytes);

    /// <summary>Events of earlier subscriptions.</summary>
    private readonly NotificationRing _earlier = new(maxBytes);

    /// <summary>How many events had come since the subscription, at each message that was heard while the state was not known.</summary>
    private readonly List<int> _heardAt = [];
    private StreamPlace? _earlierFrom;  // what is behind it was to be delivered when the subscription was lost
    private StreamPlace _earlierReach;  // what is behind it was kept then
    private long _forgotten; // messages that were heard before the first of these
    private ulong _runId;
    private long _label;
    private int? _from; // events of this subscription up to this count are not kept; null: all are

    /// <summary>All events behind it are kept; null while the state is not known.</summary>
    public StreamPlace? Reach { get; private set; }

    public int Bytes => _ring.Bytes + _earlier.Bytes;

    public long Count => _ring.Count + _earlier.Count;

    public static StreamPlace PlaceOf(in EventPosition position) => new(position.Marker, position.Count);

    /// <param name="label">The marker number of the positions until the state is known.</param>
    /// <param name="from">How many events have come since the subscription; null: it begins now.</param>
    public void Begin(ulong runId, long label, int? from = null)
    {
        _ring.Clear();
        _heardAt.Clear();
        _forgotten = 0;
        (_runId, _label, _from, Reach) = (runId, label, from, null);
    }

    /// <summary>The subscription is lost.</summary>
    public void End(StreamPlace watermark)
    {
        if (Reach is { } reach) (_earlierFrom, _earlierReach) = (watermark, reach);
        _ring.Drain((in position, database, eventName, key, fields, readAt, _) => _earlier.Add(position, database, eventName, key, fields, readAt));
        Reach = null;
    }

    public void Add(in EventPosition position, in Notification notification, long readAt)
    {
        if (_ring.Add(position, notification.Database, notification.Event, notification.Key, notification.Fields, readAt) && Reach is not null)
        {
            Reach = PlaceOf(_ring.LastDropped);
        }
    }

    /// <summary>A message was heard while the state was not known.</summary>
    /// <param name="count">How many events had come since the subscription.</param>
    public void Heard(int count)
    {
        _heardAt.Add(count);
        if (_heardAt.Count <= GroupState.MostHeard) return;

        _heardAt.RemoveAt(0);
        _forgotten++;
    }

    /// <summary>Gives the kept events their positions, now that the numbers of the messages are known. Those before the question are others' to keep.</summary>
    public void Learn(LearnedState learned)
    {
        if (_from is not null)
        {
            Begin(_runId, _label); // it was kept from the middle on: the next message is the first place that is known
            return;
        }

        (_ring, _spare) = (_spare, _ring);
        _ring.Clear();
        StreamPlace? first = null;
        var hasForgotten = _spare.HasOverflowed;
        _spare.Drain((in position, database, eventName, key, fields, readAt, _) =>
        {
            var index = _heardAt.Count - 1;
            while (index >= 0 && _heardAt[index] >= position.Count) index--;
            if (index < 0 || index + _forgotten < learned.From) return;

            var own = new EventPosition(_runId, learned.Markers[(int)(index + _forgotten - learned.From)], position.Count - _heardAt[index]);
            first ??= PlaceOf(own);
            _ring.Add(own, database, eventName, key, fields, readAt);
        });
        Reach = hasForgotten && first is { } place ? place with { Count = place.Count - 1 } : new StreamPlace(learned.Markers[0], 0);
        Forget();
    }

    /// <summary>Another member has begun anew here. What was heard before is its to deliver.</summary>
    public void BeginAt(long marker)
    {
        _ring.Clear();
        Reach = new StreamPlace(marker, 0);
        Forget();
    }

    /// <summary>
    /// This program has begun anew: it also delivers what it kept of earlier subscriptions. What it has heard of this one gets the number before that
    /// of the fresh claim. So all positions are in order, and behind everything that an earlier holder can have settled.
    /// </summary>
    /// <param name="marker">The number of the fresh claim.</param>
    /// <param name="isPassedOn">Delivery has got the earlier events before, and goes on with them.</param>
    /// <returns>What is missing before the earlier events, because too much had come to keep it; null: nothing.</returns>
    public (StreamPlace From, StreamPlace To)? BeginAnew(long marker, bool isPassedOn)
    {
        (_ring, _spare) = (_spare, _ring);
        _ring.Clear();
        if (!isPassedOn)
        {
            if (_earlier.HasOverflowed) _earlierReach = PlaceOf(_earlier.LastDropped);
            _earlier.Drain((in position, database, eventName, key, fields, readAt, _) => _ring.Add(position, database, eventName, key, fields, readAt));
        }

        var first = new StreamPlace(marker - 1, _from ?? 0);
        Reach ??= _spare.HasOverflowed ? first with { Count = _spare.LastDropped.Count } : first; // if it was told the state before, what came before that place is gone
        _spare.Drain((in position, database, eventName, key, fields, readAt, _) =>
            _ring.Add(position.Marker == _label ? position with { Marker = first.Marker } : position, database, eventName, key, fields, readAt));
        if (_ring.HasOverflowed) _earlierReach = PlaceOf(_ring.LastDropped);
        if (_earlierReach > Reach) Reach = _earlierReach;
        (StreamPlace, StreamPlace)? missing = !isPassedOn && _earlierFrom < _earlierReach ? (_earlierFrom.Value, _earlierReach) : null;
        Forget();
        return missing;
    }

    /// <summary>Forgets events up to this place: they are settled.</summary>
    public void CutTo(StreamPlace watermark) => _ring.CutTo(new EventPosition(_runId, watermark.Marker, watermark.Count));

    public void Visit(NotificationRing.Visitor visit) => _ring.Visit(visit);

    private void Forget()
    {
        _earlier.Clear();
        _spare.Clear();
        _heardAt.Clear();
        (_forgotten, _from) = (0, null);
        (_earlierFrom, _earlierReach) = (null, default);
    }
}
