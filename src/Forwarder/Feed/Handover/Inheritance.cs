using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>
/// What has an old master left to the stream of the node that took its place? Whoever holds that stream passes it on first. The others keep it until
/// the holder has settled it.
/// </summary>
/// <remarks>
/// The members notice at different places that a master was replaced. So it is kept until the watermark is some seconds behind the place where it was
/// inherited here: by then the holder has inherited it too, and has settled it. Used under the lock of the new master's feed.
/// </remarks>
internal sealed class Inheritance(IEventSink sink)
{
    /// <summary>Five seconds, as numbers of messages count them.</summary>
    private const long Margin = 5000L << 20;

    private readonly List<Estate> _estates = [];

    /// <summary>A watermark there or behind it says that everything is settled; null: the state of the stream was not known when the last was inherited.</summary>
    private StreamPlace? _until;

    public bool IsEmpty => _estates.Count == 0;

    /// <summary>Whether this program has to become the holder: what it delivered of an old master's stream is not settled, and the holder may never have heard it.</summary>
    public bool IsOwed => _estates.Exists(static estate => estate.IsOwed);

    /// <summary>Whether it has to stay the holder for the same reason.</summary>
    public bool IsUnsettled => _estates.Exists(estate => estate.IsOwn && IsUnsettledOf(estate));

    /// <param name="at">The place in the new master's stream; null if the state of the stream is not known.</param>
    public void Add(Estate estate, StreamPlace? at)
    {
        _estates.Add(estate);
        _until = Until(at);
    }

    /// <summary>The state of the stream is known from this place on.</summary>
    public void Known(StreamPlace at) => _until ??= Until(at);

    /// <summary>The state of the stream is not known any more.</summary>
    public void Unknown() => _until = null;

    /// <summary>Passes on what delivery has not got.</summary>
    /// <returns>How many events these were.</returns>
    public long Replay(NotificationRing.Visitor pass)
    {
        var count = 0L;
        for (var i = 0; i < _estates.Count; i++)
        {
            var (estate, last) = (_estates[i], _estates[i].Passed);
            estate.Events?.Visit((in position, database, eventName, key, fields, readAt, marker) =>
            {
                var place = KeptEvents.PlaceOf(position);
                if (place <= estate.Passed) return;

                count++;
                pass(position, database, eventName, key, fields, readAt, marker);
                last = place;
            });
            _estates[i] = estate with { Passed = last, Mark = last == estate.Passed && estate.Mark is { } mark ? mark : sink.Mark() };
        }

        return count;
    }

    /// <summary>Returns, once, behind which places of the old masters events are missing.</summary>
    public IReadOnlyList<EventPosition> TakeUnheard()
    {
        EventPosition[] all = [.. _estates.Select(static estate => estate.Unheard).OfType<EventPosition>()];
        for (var i = 0; i < _estates.Count; i++) _estates[i] = _estates[i] with { Unheard = null };
        return all;
    }

    /// <summary>What delivery has got of it is another member's to deliver. Nobody may have what is not kept here.</summary>
    public void Leave()
    {
        for (var i = 0; i < _estates.Count; i++)
        {
            var estate = _estates[i];
            var isUnsettled = IsUnsettledOf(estate);
            var unheard = estate.Unheard ?? (isUnsettled ? estate.NotKept : null);
            _estates[i] = estate with { Passed = null, IsOwn = estate.IsOwed || (estate.IsOwn && isUnsettled), Unheard = unheard, NotKept = null, Mark = null };
        }
    }

    /// <summary>Everything up to here is settled, but not what the holder may never have heard.</summary>
    public void Settle(StreamPlace watermark)
    {
        if (watermark >= _until) _estates.RemoveAll(static estate => !estate.IsOwed);
    }

    /// <summary>The new master is replaced itself.</summary>
    public IReadOnlyList<Estate> TakeAll()
    {
        Estate[] all = [.. _estates];
        _estates.Clear();
        return all;
    }

    private bool IsUnsettledOf(Estate estate) => estate.Mark is { } mark && !sink.IsSettled(mark);

    private static StreamPlace? Until(StreamPlace? at) => at is { } place ? new StreamPlace(place.Marker + Margin, 0) : null;
}
