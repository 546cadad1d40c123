using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Which entries of a store were read into the drain log, and which of those are still in the store?</summary>
/// <remarks>Written by the delivery loop only. Reports read <see cref="Count"/> from other threads, as it is.</remarks>
/// <param name="drain">The log that the entries are sent from. Once they are settled there, they are removed from the store.</param>
internal sealed class ReadAhead(EventLog drain)
{
    private readonly List<DrainBatch> _batches = []; // in the order of reading; few, so that a search through all is cheap

    /// <summary>Entries that are still in the store: its first ones.</summary>
    public long Count { get; private set; }

    /// <summary>Whether all are settled and removed.</summary>
    public bool IsEmpty
    {
        get
        {
            ForgetSettled();
            return _batches.Count == 0;
        }
    }

    /// <summary>The beginnings of the first and the last entry that are still in the store; null when none is.</summary>
    public StoreEnds? Ends => InStore.FirstOrDefault() is { } first ? new StoreEnds(StoreSteps.HeadOf(first.Entries[0]), StoreSteps.HeadOf(InStore.Last().Entries[^1])) : null;

    /// <summary>The entries that are still in the store, oldest first.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Entries => InStore.SelectMany(batch => batch.Entries);

    private IEnumerable<DrainBatch> InStore => _batches.Where(batch => batch.IsInStore);

    public void Add(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        long first = -1;
        foreach (var entry in entries)
        {
            var sequence = drain.Append(entry.Span, LogEntry.HeadLengthOf(entry.Span), 0);
            if (first < 0) first = sequence;
        }

        _batches.Add(new DrainBatch(entries, first, IsInStore: true));
        Count += entries.Count;
    }

    /// <summary>What can be removed from the front of the store: the oldest batch when all of it is settled.</summary>
    /// <param name="part">The settled front of that batch is enough.</param>
    public IReadOnlyList<ReadOnlyMemory<byte>> Removable(bool part)
    {
        ForgetSettled();
        if (InStore.FirstOrDefault() is not { } oldest) return [];

        var settled = (int)drain.SettledFrom(oldest.FirstSequence, oldest.LastSequence);
        return settled == oldest.Count ? oldest.Entries : part ? [.. oldest.Entries.Take(settled)] : [];
    }

    /// <summary>`count` settled entries were removed from the front of the store.</summary>
    public void Removed(int count)
    {
        var oldest = _batches.FindIndex(batch => batch.IsInStore);
        Count -= count;
        if (count == _batches[oldest].Count) _batches.RemoveAt(oldest);
        else _batches[oldest] = _batches[oldest].Without(count);
    }

    /// <summary>`count` entries have disappeared from the head of the store, <see cref="Count"/> at most. They stay in the drain log.</summary>
    public void RecordVanishedHead(long count)
    {
        for (var i = 0; count > 0; i++)
        {
            if (_batches[i].IsInStore) count -= RecordVanished(i, 0, (int)Math.Min(count, _batches[i].Count));
        }
    }

    /// <summary>The newest `count` entries have disappeared from the store, <see cref="Count"/> at most. They stay in the drain log.</summary>
    public void RecordVanishedTail(long count)
    {
        for (var i = _batches.Count - 1; count > 0; i--)
        {
            if (!_batches[i].IsInStore) continue;

            var gone = (int)Math.Min(count, _batches[i].Count);
            count -= RecordVanished(i, _batches[i].Count - gone, gone);
        }
    }

    /// <summary>Another member of the group sends what is not settled yet. Nothing is removed from the store for it.</summary>
    public void HandOver()
    {
        foreach (var batch in _batches)
        {
            for (var sequence = batch.FirstSequence; sequence <= batch.LastSequence; sequence++)
            {
                drain.Settle(sequence, Settlement.HandedOver);
            }
        }

        _batches.Clear();
        Count = 0;
    }

    /// <summary>Marks some entries of a batch as no longer in the store. They become a batch of their own.</summary>
    private int RecordVanished(int index, int from, int count)
    {
        var batch = _batches[index];
        DrainBatch[] parts = [batch.First(from), batch.Without(from).First(count) with { IsInStore = false }, batch.Without(from + count)];
        _batches.RemoveAt(index);
        _batches.InsertRange(index, parts.Where(part => part.Count > 0));
        Count -= count;
        return count;
    }

    /// <summary>Forgets settled batches that are no longer in the store: nothing has to be removed for them.</summary>
    private void ForgetSettled() =>
        _batches.RemoveAll(batch => !batch.IsInStore && drain.SettledFrom(batch.FirstSequence, batch.LastSequence) == batch.Count);
}
