using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Which entries of a store are on their way to the broker, and which of those are still in the store? In the order in which they were read.</summary>
/// <param name="drain">The log that they are sent from. They leave the store once they are settled there.</param>
internal sealed class ReadAhead(EventLog drain)
{
    private readonly List<DrainBatch> _batches = []; // few: what is read ahead

    /// <summary>Those still in the store, at its front.</summary>
    public long Count { get; private set; }

    /// <summary>None is left that is not settled.</summary>
    public bool IsEmpty
    {
        get
        {
            ForgetSettled();
            return _batches.Count == 0;
        }
    }

    /// <summary>How those in the store begin; null when none is.</summary>
    public StoreEnds? Ends => InStore.FirstOrDefault() is { } first ? new StoreEnds(StoreSteps.HeadOf(first.Entries[0]), StoreSteps.HeadOf(InStore.Last().Entries[^1])) : null;

    /// <summary>Those still in the store, oldest first.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Entries => InStore.SelectMany(batch => batch.Entries);

    private IEnumerable<DrainBatch> InStore => _batches.Where(batch => batch.IsInStore);

    public void Add(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        long first = -1;
        foreach (var entry in entries)
        {
            long sequence = drain.Append(entry.Span, LogEntry.HeadLengthOf(entry.Span), 0);
            if (first < 0)
                first = sequence;
        }

        _batches.Add(new DrainBatch(entries, first, IsInStore: true));
        Count += entries.Count;
    }

    /// <summary>What can be removed from the front of the store: its oldest batch if all of that is settled, or with <paramref name="part"/> as much of it as is.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Removable(bool part)
    {
        ForgetSettled();
        if (InStore.FirstOrDefault() is not { } oldest)
            return [];

        int settled = (int)drain.SettledFrom(oldest.FirstSequence, oldest.LastSequence);
        return settled == oldest.Count ? oldest.Entries : part ? [.. oldest.Entries.Take(settled)] : [];
    }

    /// <summary>So many settled ones were removed from the front of the store.</summary>
    public void Removed(int count)
    {
        int oldest = _batches.FindIndex(batch => batch.IsInStore);
        Count -= count;
        if (count == _batches[oldest].Count)
            _batches.RemoveAt(oldest);
        else
            _batches[oldest] = _batches[oldest].Without(count);
    }

    /// <summary>So many are not at the front of the store any more.</summary>
    public void RecordVanishedHead(long count)
    {
        for (int i = 0; i < _batches.Count && count > 0; i++)
        {
            if (_batches[i].IsInStore)
                count -= Leave(i, 0, (int)Math.Min(count, _batches[i].Count));
        }
    }

    /// <summary>So many of the newest are not in the store any more.</summary>
    public void RecordVanishedTail(long count)
    {
        for (int i = _batches.Count - 1; i >= 0 && count > 0; i--)
        {
            if (!_batches[i].IsInStore)
                continue;

            int gone = (int)Math.Min(count, _batches[i].Count);
            count -= Leave(i, _batches[i].Count - gone, gone);
        }
    }

    /// <summary>Splits a batch where what is in the store ends.</summary>
    private int Leave(int index, int from, int count)
    {
        var batch = _batches[index];
        DrainBatch[] parts = [batch.First(from), batch.Without(from).First(count) with { IsInStore = false }, batch.Without(from + count)];
        _batches.RemoveAt(index);
        _batches.InsertRange(index, parts.Where(part => part.Count > 0));
        Count -= count;
        return count;
    }

    /// <summary>What is in no store needs no removal.</summary>
    private void ForgetSettled() =>
        _batches.RemoveAll(batch => !batch.IsInStore && drain.SettledFrom(batch.FirstSequence, batch.LastSequence) == batch.Count);
}
