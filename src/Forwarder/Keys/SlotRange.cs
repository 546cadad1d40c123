namespace KeyEvt.Forwarder.Keys;

/// <summary>Which slots of a cluster, both ends included (0 to 16383)?</summary>
public readonly record struct SlotRange(int First, int Last)
{
    public int Count => Last - First + 1;

    public bool Contains(int slot) => slot >= First && slot <= Last;
}
