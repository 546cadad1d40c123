using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>How far has a feed come in its node's stream?</summary>
/// <remarks>
/// The fields are used under <see cref="FeedContext.Turn"/>, as a rule by the read loop of the connection that counts. Everybody else sees the copy that
/// <see cref="Publish"/> makes after each batch.
/// </remarks>
internal sealed class FeedProgress
{
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

    /// <summary>Where the stream stands: at the last notification, or at the marker when none came since.</summary>
    public EventPosition Position => new(_runId, _marker, _count);

    public long HeldBack => _heldBack;

    public long Oversized => _oversized;

    public long Refused => _refused;

    /// <summary>A new subscription: positions go on at a number that was not given before.</summary>
    public void Begin(ulong runId, long marker)
    {
        (_runId, _marker, _count) = (runId, marker, 0);
        Publish();
    }

    public void Mark(long marker)
    {
        (_marker, _count) = (marker, 0);
        _markersSeen++;
    }

    public EventPosition Receive()
    {
        _received++;
        return new EventPosition(_runId, _marker, ++_count);
    }

    public void HoldBack() => _heldBack++;

    /// <summary>So many of those held back are passed on after all.</summary>
    public void Release(int count) => _heldBack -= count;

    /// <summary>It has its place in the count, like any other notification.</summary>
    public void PassOversized()
    {
        _oversized++;
        _count++;
    }

    /// <summary>It has no place: a Redis did not send it of its own.</summary>
    public void PassRefused() => _refused++;

    public void Publish()
    {
        var now = new Snapshot(Position, _markersSeen, _received, _heldBack, _oversized, _refused);
        lock (_gate) _published = now;
    }
}
