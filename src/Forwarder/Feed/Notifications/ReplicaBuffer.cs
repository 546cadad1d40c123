using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>May the node's notifications be passed on, and which of those that were held back must be when it turns out to be a master?</summary>
/// <remarks>
/// Shared by the connections of one feed: Sentinel cuts a node's clients off in the promotion itself. Held back is what comes from a replica, from one that is a master by
/// its own word only (fenced: another one has taken its place), and from one whose promotion is being settled. Used under <see cref="FeedContext.Turn"/>, but for <see cref="IsFenced"/>.
/// </remarks>
internal sealed class ReplicaBuffer(NodeFeedOptions options)
{
    private readonly NotificationRing _kept = new(options.KeptBytes);
    private long _cutNext;

    // Sequences of the last two markers among the kept; two programs may send theirs in turn.
    private long _marker = long.MaxValue;
    private long _markerBefore = long.MaxValue;
    private volatile bool _isFenced;

    /// <summary>The last answer was "slave", over whichever connection.</summary>
    public bool IsReplica { get; private set; }

    /// <summary>It says that it is a master, and it is being settled what of the kept is new.</summary>
    public bool IsPromoting { get; private set; }

    /// <summary>The number of the last promotion.</summary>
    public int Promotion { get; private set; }

    public bool IsHeld => IsReplica || IsPromoting || _isFenced;

    public bool IsFenced => _isFenced;

    /// <summary>When it was last known as a replica, and where.</summary>
    public (ClockReading At, EventPosition Position) Last { get; private set; }

    /// <summary>Any thread. Events that were held back by it are gone: who is fenced has lost its place.</summary>
    public void Fence(bool isFenced) => _isFenced = isFenced;

    public void Keep(in EventPosition position, in Notification notification, long readAt)
    {
        if (IsReplica || IsPromoting)
        {
            _kept.Add(position, notification.Database, notification.Event, notification.Key, notification.Fields, readAt);
        }
    }

    public void KeepMarker(ReadOnlySpan<byte> payload)
    {
        if (!IsReplica) return;

        (_markerBefore, _marker) = (_marker, _kept.Next);
        _kept.AddMarker(payload);
    }

    /// <param name="isConnected">Its link to its master stands: what it sent until the answer before this one is known to have come from there.</param>
    public void SeenReplica(ClockReading at, EventPosition position, bool isConnected)
    {
        (IsReplica, IsPromoting, _isFenced) = (true, false, false); // from here on its own word counts again
        if (!isConnected && Last.At != default) return;

        Last = (at, position);
        _kept.Cut(Math.Min(_cutNext, Math.Min(_marker, _markerBefore))); // while no events flow markers come more rarely than answers, and the echoes are counted from one
        _cutNext = _kept.Next;
    }

    /// <returns>Its number: it is settled later, and there may be another one by then.</returns>
    public int BeginPromotion()
    {
        (IsReplica, IsPromoting) = (false, true);
        return ++Promotion;
    }

    /// <param name="sent">What the old master's feed has received last; null: not known.</param>
    /// <param name="missed">What cannot be told apart, in words; null: nothing.</param>
    /// <returns>What is new, in order.</returns>
    public IReadOnlyList<RecordedNotification> Settle(IReadOnlyList<RecordedNotification>? sent, out string? missed)
    {
        var kept = _kept.Read();
        missed = _kept.HasOverflowed ? $"more than {options.KeptBytes} bytes came before the promotion was noticed" : null;
        Forget();
        if (sent is null)
        {
            missed ??= kept.Any(one => !one.IsMarker) ? "the node was promoted; what it sent before that was noticed was held back" : null;
            return [];
        }

        var split = PromotionOverlap.Find(kept, sent);
        if (!split.IsCertain) missed ??= "what the promoted node sent first looks like what its master had sent, more than once";
        return [.. kept.Skip(split.First).Where(one => !one.IsMarker)];
    }

    public void Forget()
    {
        (IsReplica, IsPromoting, _cutNext) = (false, false, 0);
        (_marker, _markerBefore) = (long.MaxValue, long.MaxValue);
        _kept.Clear();
    }
}
