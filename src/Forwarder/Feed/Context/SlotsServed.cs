using KeyEvt.Forwarder.Keys;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>Has a slot moved to this node from another one? Then the other node's events of its keys must be passed on first.</summary>
/// <remarks>Written by the loop of FeedSet; read by the feed's read loop.</remarks>
internal sealed class SlotsServed(TimeProvider time)
{
    /// <summary>
    /// For this long after a slot has left, its events still count as served here. They are from before the move: the new node waits for them, so
    /// they must not wait for the new node.
    /// </summary>
    private static readonly TimeSpan Leaving = TimeSpan.FromSeconds(5);

    /// <summary>An immutable snapshot. Replaced by <see cref="Change"/>; read by the read loop.</summary>
    private volatile Known? _known;

    /// <summary>0 or 1. Set by <see cref="Change"/>; read and reset by the read loop with Interlocked.</summary>
    private int _hasGained;

    /// <param name="ServedUntil">For each slot the timestamp of the last change before which it was served; 0 if there is none.</param>
    private sealed record Known(bool[] Served, long[] ServedUntil);

    /// <summary>
    /// Returns when everything that the other nodes have sent so far has been read and passed on, or after a while. Null if there are no other nodes.
    /// </summary>
    public Func<Task>? OthersFirst { get; set; }

    /// <param name="served">Whether each slot is served. Null if the node is not a master of a cluster, so that slots do not matter.</param>
    public void Change(bool[]? served)
    {
        var before = _known;
        if (served is null || before is null)
        {
            _known = served is null ? null : new Known(served, new long[SlotTag.Slots]);
            return;
        }

        var now = time.GetTimestamp();
        long[] servedUntil = [.. before.Served.Select((wasServed, slot) => wasServed ? now : before.ServedUntil[slot])];
        _known = new Known(served, servedUntil);
        if (served.Where((serves, slot) => serves && !before.Served[slot]).Any()) Volatile.Write(ref _hasGained, 1);
    }

    /// <summary>Called for each event: whether it may be passed on without waiting for other nodes.</summary>
    public bool Serves(ReadOnlySpan<byte> key)
    {
        if (_known is not { } known) return true;

        var slot = SlotTag.SlotOfKey(key);
        return known.Served[slot] || (known.ServedUntil[slot] != 0 && time.GetElapsedTime(known.ServedUntil[slot]) < Leaving);
    }

    /// <summary>Whether slots were gained since the last call.</summary>
    public bool TakeGained() => Volatile.Read(ref _hasGained) != 0 && Interlocked.Exchange(ref _hasGained, 0) != 0;
}
