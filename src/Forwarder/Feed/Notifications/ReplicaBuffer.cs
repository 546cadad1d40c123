using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>May the node's notifications be passed on, and which of those that were held back must be passed on when it turns out to be a master?</summary>
/// <remarks>
/// Shared by the connections of one feed, because Sentinel disconnects a node's clients during the promotion itself. Notifications are held back in
/// three cases: from a replica; from a node that calls itself a master but was replaced by another one (fenced); and while a promotion is being
/// settled. Used under <see cref="FeedContext.Turn"/>, except <see cref="IsFenced"/>.
/// </remarks>
internal sealed class ReplicaBuffer(NodeFeedOptions options)
{
    /// <summary>After so many answers without a marker it is known that none come any more. There is an answer a second at least while events come.</summary>
    private const int AnswersWithoutMarker = 60;

    private readonly NotificationRing _kept = new(options.KeptBytes);
    private long _cutNext;
    private int _answersSinceMarker;
    private EventPosition? _repeated;
    private readonly List<IReadOnlyList<RecordedNotification>> _doubtful = [];
    private bool _isKnownSince; // the answer before the last one said "slave" too

    // Sequence numbers of the last two markers in the buffer. Two, because two programs may send markers alternately.
    private long _marker = long.MaxValue;
    private long _markerBefore = long.MaxValue;

    /// <summary>Set by the loop of FeedSet; cleared by the read loop too, when the node calls itself a replica. Read from any thread.</summary>
    private volatile bool _isFenced;

    /// <summary>Whether the last answer was "slave", on whichever connection.</summary>
    public bool IsReplica { get; private set; }

    /// <summary>Whether the node says that it is a master, and it is still being decided which held notifications are new.</summary>
    public bool IsPromoting { get; private set; }

    /// <summary>The number of the last promotion.</summary>
    public int Promotion { get; private set; }

    /// <summary>When it was found to be a master, the last time.</summary>
    public ClockReading PromotedAt { get; private set; }

    public bool IsHeld => IsReplica || IsPromoting || _isFenced;

    public bool IsFenced => _isFenced;

    /// <summary>When and where it was last known as a replica.</summary>
    public (ClockReading At, EventPosition Position) Last { get; private set; }

    /// <summary>
    /// Up to here everything that it sent as a replica was a repetition of its master, and is no longer kept; null: not known. What is kept may be passed on after a promotion, because
    /// nobody has heard it from the master. What it sent last as a master may be its own, until that is judged.
    /// </summary>
    public EventPosition? Repeated => _doubtful.Count > 0 ? null : _repeated;

    /// <summary>What the node sent last as a master, while it is judged whose events these are.</summary>
    /// <param name="nameOf">What has no such position is left out.</param>
    public IReadOnlyList<RecordedNotification> DoubtfulAs(PositionName nameOf)
    {
        var named = new List<RecordedNotification>();
        foreach (var one in _doubtful.SelectMany(static some => some))
        {
            if (nameOf(one.Position) is { } name) named.Add(one with { Position = name });
        }

        return named;
    }

    /// <summary>From here on until <see cref="EndDoubt"/> it is judged whose these events are.</summary>
    public void BeginDoubt(IReadOnlyList<RecordedNotification> doubtful) => _doubtful.Add(doubtful);

    public void EndDoubt(IReadOnlyList<RecordedNotification> doubtful) => _doubtful.Remove(doubtful);

    /// <summary>When and where it was fenced, the last time.</summary>
    public (ClockReading At, EventPosition Position) Fenced { get; private set; }

    /// <summary>Fences the node. Events that are held back only because of the fence are not kept: the node has been replaced.</summary>
    public void Fence(ClockReading at, EventPosition position) => (_isFenced, Fenced) = (true, (at, position));

    public void LiftFence() => _isFenced = false;

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

        (_markerBefore, _marker, _answersSinceMarker) = (_marker, _kept.Next, 0);
        _kept.AddMarker(payload);
    }

    /// <param name="isConnected">
    /// Whether its link to its master is up. Then what it sent until the answer before this one is known to have come from the master.
    /// </param>
    public void SeenReplica(ClockReading at, EventPosition position, bool isConnected)
    {
        (IsReplica, IsPromoting, _isFenced) = (true, false, false); // from here on the node's own word counts again
        if (!isConnected && Last.At != default) return;

        var repeated = _isKnownSince ? Last.Position : (EventPosition?)null;
        (Last, _isKnownSince) = ((at, position), true);
        if (++_answersSinceMarker > AnswersWithoutMarker) (_marker, _markerBefore) = (long.MaxValue, long.MaxValue);
        _kept.Cut(Math.Min(_cutNext, Math.Min(_marker, _markerBefore))); // without events, markers are rarer than answers; the search for echoes needs one marker to begin at
        _cutNext = _kept.Next;
        _repeated = repeated is { } last && _kept.First is { } first && (first.Marker, first.Count).CompareTo((last.Marker, last.Count)) <= 0 ? first with { Count = first.Count - 1 } : repeated;
    }

    /// <returns>The promotion's number. It is settled later, when there may already be another one.</returns>
    public int BeginPromotion(ClockReading at = default)
    {
        PromotedAt = at;
        (IsReplica, IsPromoting, _repeated, _isKnownSince) = (false, true, null, false);
        return ++Promotion;
    }

    /// <param name="sent">What the old master's feed has received last; null if that is not known.</param>
    /// <param name="missed">What cannot be decided, in words; null if nothing.</param>
    /// <returns>The new notifications, in order.</returns>
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
        (IsReplica, IsPromoting, _repeated, _isKnownSince) = (false, false, null, false);
        (_marker, _markerBefore) = (long.MaxValue, long.MaxValue);
        _kept.Clear();
    }
}
