namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Some entries that were read from a store together and are in the drain log, one sequence after the other.</summary>
/// <param name="IsInStore">False: they are no longer in the store (the cap, or somebody else, took them away); they are sent all the same.</param>
internal sealed record DrainBatch(IReadOnlyList<ReadOnlyMemory<byte>> Entries, long FirstSequence, bool IsInStore)
{
    public int Count => Entries.Count;

    public long LastSequence => FirstSequence + Count - 1;

    public DrainBatch First(int count) => this with { Entries = [.. Entries.Take(count)] };

    public DrainBatch Without(int first) => this with { Entries = [.. Entries.Skip(first)], FirstSequence = FirstSequence + first };
}
