using KeyEvt.Forwarder.Keys;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Which slots does a node serve, if nobody can be asked and the node only answers each try with success or MOVED?</summary>
/// <remarks>
/// Tries numbers with their bits reversed. Each try then halves the widest range without a try, so a node with one n-th of the slots in one piece is
/// found in about n tries. Used for the markers of a feed on one node of a cluster, whose user may lack the right to CLUSTER NODES. One caller at a
/// time.
/// </remarks>
internal sealed class SlotSearch
{
    private const int Bits = 14;

    private int _tries;

    /// <summary>A hash tag of the next slot to try.</summary>
    public string Next() => SlotTag.Of(NextSlot());

    public int NextSlot()
    {
        int number = _tries++ % SlotTag.Slots, slot = 0;
        for (var bit = 0; bit < Bits; bit++) slot |= ((number >> bit) & 1) << (Bits - 1 - bit);
        return slot;
    }
}
