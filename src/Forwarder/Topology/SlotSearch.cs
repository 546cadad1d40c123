using KeyEvt.Forwarder.Keys;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Which slots does a node serve, when nobody is asked and the node only says of each that it does, or MOVED?</summary>
/// <remarks>
/// Numbers with their bits reversed: each try halves the widest stretch that was not looked into, so a node with an n-th of the slots in one piece is found in
/// some n tries. For the markers of a feed on one node of a cluster, whose user need not be allowed CLUSTER NODES. One caller at a time.
/// </remarks>
internal sealed class SlotSearch
{
    private const int Bits = 14;

    private int _tries;

    /// <summary>A tag of the next slot to try.</summary>
    public string Next() => SlotTag.Of(NextSlot());

    public int NextSlot()
    {
        int number = _tries++ % SlotTag.Slots, slot = 0;
        for (var bit = 0; bit < Bits; bit++) slot |= ((number >> bit) & 1) << (Bits - 1 - bit);
        return slot;
    }
}
