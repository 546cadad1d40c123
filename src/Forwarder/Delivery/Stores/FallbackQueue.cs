using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>
/// What can be done with one store, and how does it stand? Each step is a call of the store (<see cref="StoreStepRunner"/> runs it), and an entry in the books
/// (<see cref="StoreAccounting"/>).
/// </summary>
/// <remarks>Used by the delivery loop only, by way of <see cref="StoreSet"/>. Reports read names and sums from other threads, as they are.</remarks>
internal sealed class FallbackQueue(NamedStore store, StoreAccounting books, StoreStepRunner steps, DeliveryOptions options, DeliveryClock clock)
{
    /// <summary>
    /// How much of the front of the store is compared with what is being sent, in batches of bytes. Entries read ahead of that count as gone from the store; if they are
    /// still there, they are read and sent once more.
    /// </summary>
    private const int LocateBatches = 4;

    private readonly IEventStore _store = store.Store;
    private long _refusesUntil;

    /// <summary>Whether the cap concerns it.</summary>
    public bool IsCapped => store.IsCapped;

    public string Name => store.Name;

    /// <summary>Where it is at the moment, for people.</summary>
    public string Place => store.Place();

    /// <summary>Entries not read yet: <see cref="Length"/> without <see cref="ReadAheadCount"/>.</summary>
    public UnreadByEpoch Unread => books.Unread;

    /// <summary>Entries in the store by the books; those that are being sent included.</summary>
    public long Length => books.Length;

    /// <summary>Entries at the front of the store that are also in the drain log.</summary>
    public long ReadAheadCount => books.ReadAheadCount;

    /// <summary>Nothing in the store, nothing read from it and not settled.</summary>
    public bool IsEmpty => books.IsEmpty;

    public bool IsBusy => steps.IsBusy;

    /// <summary>The step under way, for tests that wait for it.</summary>
    internal Task Running => steps.Running;

    /// <summary>Whether the length was read at least once.</summary>
    public bool IsKnown => steps.HasSucceeded;

    public string? LastRefusal => steps.LastRefusal;

    public long Refusals => steps.Refusals;

    /// <summary>Whether a new step may start: none runs, and none waits to be tried again.</summary>
    public bool MayStart => steps.MayStart;

    /// <summary>When the step that failed is tried again: a timestamp.</summary>
    public long NotBefore => steps.NotBefore;

    /// <summary>Whether nothing waits for this store, because it could not be read for long. A store that only takes no more events can still be read.</summary>
    public bool IsAway => Pending is null && steps.IsUnreadable;

    /// <summary>Whether events should go to another store: this one has not taken some a moment ago, or has failed several times in a row.</summary>
    public bool IsRefusing => !clock.IsPast(_refusesUntil) || steps.HasFailedOften;

    /// <summary>The batch that is on its way into the store, or was refused and will be tried again; null: there is none.</summary>
    public AppendBatch? Pending { get; private set; }

    /// <summary>Oldest entries that a step is about to drop; <see cref="Length"/> still includes them.</summary>
    public long Trimming { get; private set; }

    /// <summary>
    /// Whether the pending batch has failed and may be put elsewhere. A batch that may have arrived is first tried a few times more, to find out. If it was put elsewhere at once,
    /// it would be sent twice, with equal ids. It would also hide a loss: the books would miss fewer entries after somebody flushed the list.
    /// </summary>
    public bool MayGiveAppendBack => steps.HasFailed && Pending is not null && (!steps.MayBeDone || steps.HasFailedOften);

    /// <summary>The same for another store. A batch that was refused for a moment only is tried again here.</summary>
    public bool MayRedirect => MayGiveAppendBack && (!steps.IsPassing || steps.HasFailedOften);

    /// <summary>Whether the oldest batch can leave the store: all of it, or with <paramref name="part"/> its settled front.</summary>
    public bool HasRemovable(bool part) => books.Removable(part).Count > 0;

    /// <summary>Tries a failed step again when its time has come.</summary>
    public void RetryIfDue() => steps.RetryIfDue();

    /// <summary>Reads the length. What is there at the first time was left by an earlier run or by somebody else.</summary>
    public void StartCount() => steps.Start(async _ =>
    {
        var length = await _store.CountAsync().ConfigureAwait(false);
        return () => books.Counted(length);
    });

    /// <summary>Reads the length again when nothing was done for a while, so that a loss is noticed although nothing is stored or read.</summary>
    public void LookAfter(TimeSpan idle)
    {
        if (MayStart && Length > 0 && steps.IsIdleFor(idle)) StartCount();
    }

    /// <summary>Appends a batch at the end of the store.</summary>
    public void StartAppend(AppendBatch batch, long cap)
    {
        Pending = batch;
        steps.Start(
            async isRetry =>
            {
                var result = await _store.AppendAsync(batch.Stored, cap, isRetry).ConfigureAwait(false);
                return () =>
                {
                    Pending = null;
                    books.Appended(batch, cap, result, isRetry);
                };
            },
            isAppend: true);
    }

    /// <summary>Drops the oldest entries.</summary>
    /// <param name="count">At least 1, and not all.</param>
    public void StartTrim(long count)
    {
        Trimming = count;
        var left = Length - count;
        steps.Start(async isRetry =>
        {
            var result = await _store.AppendAsync([], left, isRetry).ConfigureAwait(false);
            return () =>
            {
                Trimming = 0;
                books.Capped(0, left, result, isRetry);
            };
        });
    }

    /// <summary>Reads the next entries behind those that are being sent.</summary>
    public void StartRead(int most)
    {
        var (offset, before) = (ReadAheadCount, books.Ends); // read here: the step runs beside the loop, which owns the books
        steps.Start(async _ =>
        {
            var result = await _store.ReadAsync(offset, before, most, options.StoreBatchBytes).ConfigureAwait(false);
            return () => books.Read(result);
        });
    }

    /// <summary>Removes the settled front of the oldest batch from the store.</summary>
    public void StartRemove(bool part)
    {
        var entries = books.Removable(part);
        var length = Length;
        steps.Start(async isRetry =>
        {
            var result = await _store.RemoveAsync(entries, isRetry ? length : null).ConfigureAwait(false);
            return () => books.Removed(result, entries.Count);
        });
    }

    /// <summary>Gives the pending batch up and returns it. What of it has arrived will be found in the store again, with equal ids.</summary>
    public AppendBatch? GiveAppendBack()
    {
        if (Pending is not { } batch) return null;

        if (steps.MayBeDone) books.GivenUp(batch);
        steps.GiveUp();
        Pending = null;
        return batch;
    }

    /// <summary>Sends events elsewhere for so long. Counts the store meanwhile, to learn whether it answers.</summary>
    public void RefuseFor(TimeSpan span)
    {
        _refusesUntil = clock.After(span);
        if (MayStart) StartCount();
    }

    /// <summary>Takes the outcome of a finished step in; false when none has finished.</summary>
    public bool TakeOutcome()
    {
        if (!steps.TakeOutcome()) return false;

        if (books.NeedsLocating && MayStart) StartLocate();
        return true;
    }

    /// <summary>Reads how the store begins, to find out where the entries are that are being sent.</summary>
    private void StartLocate()
    {
        var most = (int)ReadAheadCount;
        steps.Start(async _ =>
        {
            var result = await _store.ReadAsync(0, null, most, LocateBatches * options.StoreBatchBytes).ConfigureAwait(false);
            return () => books.Located(result);
        });
    }
}
