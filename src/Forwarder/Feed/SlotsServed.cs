namespace KeyEvt.Forwarder.Feed;

/// <summary>Has a slot come to this node from another one? Then what that one has sent of its keys is passed on first.</summary>
/// <remarks>Written by whoever watches the cluster, asked by the feed's read loop.</remarks>
internal sealed class SlotsServed
{
    private volatile bool[]? _served;
    private int _hasGained;

    /// <summary>Returns when the node is known to serve what it sends, or after a while, and when all that the others had sent by then has been read; null: nobody can tell.</summary>
    /// <remarks>Its argument: whether it is known already.</remarks>
    public Func<bool, Task>? OthersFirst { get; set; }

    /// <param name="served">By slot; null: it is no master of a cluster, and nothing is to be looked at.</param>
    public void Change(bool[]? served)
    {
        var before = _served;
        _served = served;
        if (before is not null && served is not null && served.Zip(before).Any(pair => pair is { First: true, Second: false }))
            Volatile.Write(ref _hasGained, 1);
    }

    /// <summary>For each event.</summary>
    public bool Serves(ReadOnlySpan<byte> key) => _served is not { } served || served[Topology.SlotTag.SlotOfKey(key)];

    /// <summary>Slots were gained since this was asked last.</summary>
    public bool TakeGained() => Volatile.Read(ref _hasGained) != 0 && Interlocked.Exchange(ref _hasGained, 0) != 0;
}
