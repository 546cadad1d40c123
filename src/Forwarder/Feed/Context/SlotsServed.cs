using KeyEvt.Forwarder.Keys;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>Has a slot come to this node from another one? Then what that one has sent of its keys is passed on first.</summary>
/// <remarks>Written by whoever watches the cluster, asked by the feed's read loop.</remarks>
internal sealed class SlotsServed(TimeProvider time)
{
    /// <summary>So long after it is known that a slot has gone, its events are those from before: its new node waits for them, and they must not wait for that one.</summary>
    private static readonly TimeSpan Leaving = TimeSpan.FromSeconds(5);

    private volatile Known? _known;
    private int _hasGained;

    /// <param name="LostAt">By slot, a timestamp; 0: not lost.</param>
    private sealed record Known(bool[] Served, long[] LostAt);

    /// <summary>Returns when all that the other nodes have sent by now has been read and passed on, or after a while; null: there are none.</summary>
    public Func<Task>? OthersFirst { get; set; }

    /// <param name="served">By slot; null: it is no master of a cluster, and nothing is to be looked at.</param>
    public void Change(bool[]? served)
    {
        var before = _known;
        if (served is null || before is null)
        {
            _known = served is null ? null : new Known(served, new long[SlotTag.Slots]);
            return;
        }

        var now = time.GetTimestamp();
        long[] lostAt = [.. served.Select((serves, slot) => serves ? 0 : before.Served[slot] ? now : before.LostAt[slot])];
        _known = new Known(served, lostAt);
        if (served.Where((serves, slot) => serves && !before.Served[slot]).Any()) Volatile.Write(ref _hasGained, 1);
    }

    /// <summary>For each event: whether it may be passed on without regard to others.</summary>
    public bool Serves(ReadOnlySpan<byte> key)
    {
        if (_known is not { } known) return true;

        var slot = SlotTag.SlotOfKey(key);
        return known.Served[slot] || (known.LostAt[slot] != 0 && time.GetElapsedTime(known.LostAt[slot]) < Leaving);
    }

    /// <summary>Slots were gained since this was asked last.</summary>
    public bool TakeGained() => Volatile.Read(ref _hasGained) != 0 && Interlocked.Exchange(ref _hasGained, 0) != 0;
}
