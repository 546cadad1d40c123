using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>How far has a feed read its node's stream?</summary>
/// <remarks>
/// The fields are used under <see cref="FeedContext.Turn"/>, usually by the read loop of the active connection. All other threads see the copy that
/// <see cref="Publish"/> makes after each batch.
/// </remarks>
internal sealed class FeedProgress
{
    /// <summary>Guards <see cref="_published"/>.</summary>
    private readonly Lock _gate = new();
    private Snapshot _published;
    private ulong _runId;
    private long _marker;
    private int _count;
    private long _markersSeen;
    private long _received;
    private long _heldBack;
    private long _oversized;
    private long _refused;

    public readonly record struct Snapshot(EventPosition Position, long MarkersSeen, long Received, long HeldBack, long Oversized, long Refused);

    public Snapshot Published
    {
        get
        {
            lock (_gate) return _published;
        }
    }

    /// <summary>The position of the last notification, or of the marker if none came since.</summary>
    public EventPosition Position => new(_runId, _marker, _count);

    public long HeldBack => _heldBack;

    public long Oversized => _oversized;

    public long Refused => _refused;

    /// <summary>Called for a new subscription. Positions go on with a marker number that was not used before.</summary>
    public void Begin(ulong runId, long marker)
    {
        (_runId, _marker, _count) = (runId, marker, 0);
        Publish();
    }

    /// <summary>A marker has come, of this feed or of another member of its group.</summary>
    public void Mark(long marker, bool isOwn)
    {
        (_marker, _count) = (marker, 0);
        if (isOwn) _markersSeen++;
    }

    public EventPosition Receive()
    {
        _received++;
        return new EventPosition(_runId, _marker, ++_count);
    }

    public void HoldBack() => _heldBack++;

    /// <summary>Notes that this many of the held notifications are passed on after all.</summary>
    public void Release(int count) => _heldBack -= count;

    /// <summary>Counts a notification that was too large. It has a position like any other.</summary>
    public void PassOversized()
    {
        _oversized++;
        _count++;
    }

    /// <summary>Counts a message that Redis did not send itself. It has no position.</summary>
    public void PassRefused() => _refused++;

    public void Publish()
    {
        var now = new Snapshot(Position, _markersSeen, _received, _heldBack, _oversized, _refused);
        lock (_gate) _published = now;
    }
}
