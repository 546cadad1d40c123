namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Which entries were read from a store together? They are in the drain log under consecutive sequences.</summary>
/// <param name="IsInStore">False: the cap or somebody else has taken them from the store. They are sent all the same.</param>
internal sealed record DrainBatch(IReadOnlyList<ReadOnlyMemory<byte>> Entries, long FirstSequence, bool IsInStore)
{
    public int Count => Entries.Count;

    public long LastSequence => FirstSequence + Count - 1;

    public DrainBatch First(int count) => this with { Entries = [.. Entries.Take(count)] };

    public DrainBatch Without(int first) => this with { Entries = [.. Entries.Skip(first)], FirstSequence = FirstSequence + first };
}
