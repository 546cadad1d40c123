namespace KeyEvt.Forwarder.Outbox;

/// <summary>What did the ledger say at one moment? All fields are of the same moment.</summary>
public sealed record LedgerSnapshot(
    long Received, long Adopted, long Filtered, long Confirmed, long WaitingMemory, long WaitingFallback, long HandedOver, IReadOnlyList<long> Dropped)
{
    public long DroppedTotal => Dropped.Sum();

    /// <summary>Received (and found in the fallback storage) minus everything accounted for: always 0.</summary>
    public long Difference => Received + Adopted - Filtered - Confirmed - WaitingMemory - WaitingFallback - HandedOver - DroppedTotal;
}
