namespace KeyEvt.Forwarder.Delivery;

/// <summary>What did one read of the fallback storage bring? Its entries are in the drain log with these sequences.</summary>
internal sealed class DrainBatch(IReadOnlyList<ReadOnlyMemory<byte>> entries, long firstSequence, long lastSequence)
{
    public IReadOnlyList<ReadOnlyMemory<byte>> Entries { get; private set; } = entries;

    public long FirstSequence { get; private set; } = firstSequence;

    public long LastSequence => lastSequence;

    public void CutFront(int count) => (Entries, FirstSequence) = ([.. Entries.Skip(count)], FirstSequence + count);
}
