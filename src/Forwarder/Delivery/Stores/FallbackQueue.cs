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
internal sealed class FallbackQueue(NamedStore store, StoreAccounting books, StoreStepRunner steps, ListOffice office, DeliveryOptions options, DeliveryClock clock)
{
    /// <summary>
    /// How much of the front of the store is compared with what is being sent, in batches of bytes. Entries read ahead of that count as gone from the store; if they are
    /// still there, they are read and sent once more.
    /// </summary>
    private const int LocateBatches = 4;

    /// <summary>How often is asked where the store is.</summary>
    private static readonly TimeSpan PlaceInterval = TimeSpan.FromMilliseconds(100);

    private readonly IEventStore _store = store.Store;
    private long _refusesUntil;
    private bool _wasAnothers;
    private bool _isCountDue;
    private bool _mayHoldOthers; // another member may have stored events that are older than those in memory
    private string? _place;
    private long _placeKnownUntil;

    /// <summary>Whether the cap concerns it: it is a list in Redis. Only the holder uses it.</summary>
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

    /// <summary>Whether a step still runs whose outcome is of no interest any more.</summary>
    public bool IsEnding => steps.IsEnding;

    /// <summary>The step under way, for tests that wait for it.</summary>
    internal Task Running => steps.Running;

    /// <summary>Whether the length was read since this program uses the store. What is in the lists of another holder need not be known.</summary>
    public bool IsKnown => (steps.HasSucceeded && !_mayHoldOthers) || !MayUse;

    public string? LastRefusal => steps.LastRefusal;

    public long Refusals => steps.Refusals;

    /// <summary>Whether a new step may start: none runs, none waits to be tried again, and the store is this program's to use.</summary>
    public bool MayStart => steps.MayStart && MayUse;

    /// <summary>When the step that failed is tried again: a timestamp.</summary>
    public long NotBefore => steps.NotBefore;

    /// <summary>Whether nothing waits for this store, because it could not be read for long. A store that only takes no more events can still be read.</summary>
    public bool IsAway => Pending is null && steps.IsUnreadable;

    /// <summary>Whether events should go to another store: this one has not taken some a moment ago, or has failed several times in a row.</summary>
    public bool IsRefusing => !IsFenced && (!clock.IsPast(_refusesUntil) || steps.HasFailedOften);

    /// <summary>Whether it is worth waiting until it takes events again: it does not answer, or refuses for a moment only, and has not done so for long.</summary>
    public bool IsWaitedFor => steps.IsWaitedFor;

    /// <summary>The batch that is on its way into the store, or was refused and will be tried again; null: there is none.</summary>
    public AppendBatch? Pending { get; private set; }

    /// <summary>Oldest entries that a step is about to drop; <see cref="Length"/> still includes them.</summary>
    public long Trimming { get; private set; }

    /// <summary>Whether the last step has failed, and was not tried again yet.</summary>
    public bool HasFailed => steps.HasFailed;

    /// <summary>
    /// Whether the pending batch has failed and may be put elsewhere. A batch that may have arrived is first tried a few times more, to find out. If it was put elsewhere at once,
    /// it would be sent twice, with equal ids. It would also hide a loss: the books would miss fewer entries after somebody flushed the list.
    /// </summary>
    public bool MayGiveAppendBack => steps.HasFailed && Pending is not null && (!steps.MayBeDone || steps.HasFailedOften);

    /// <summary>The same for another store. A batch that was refused for a moment only is tried again here.</summary>
    public bool MayRedirect => MayGiveAppendBack && !IsFenced && (!steps.IsPassing || steps.HasFailedOften);

    /// <summary>Whether the last step was refused because another member of the group has a higher term. Its events belong nowhere else.</summary>
    private bool IsFenced => steps.FencedBy is not null;

    private bool MayUse => !IsCapped || (office.IsHeld && store.IsOurs());

    /// <summary>Whether the oldest batch can leave the store: all of it, or with <paramref name="part"/> its settled front.</summary>
    public bool HasRemovable(bool part) => books.Removable(part).Count > 0;

    /// <summary>Tries a failed step again when its time has come, and counts the store if it may hold something unknown.</summary>
    public void RetryIfDue()
    {
        steps.RetryIfDue();
        _isCountDue |= HasMoved();
        if (!_isCountDue || !MayStart) return;

        _isCountDue = false;
        StartCount();
    }

    /// <summary>Another member of the group may have used the list meanwhile: it is counted as soon as no step runs, and is not known until then.</summary>
    public void CountFirst()
    {
        (_isCountDue, _mayHoldOthers) = (true, true);
        steps.WaitAnew();
    }

    /// <summary>This program has a higher term now: a step that was refused for another member's is tried again at once.</summary>
    public void RetryIfFenced()
    {
        if (IsFenced) steps.RetryAtOnce();
    }

    /// <summary>Reads the length. What is there at the first time was left by an earlier run or by somebody else.</summary>
    public void StartCount()
    {
        var findsOthers = _mayHoldOthers; // a count from before it was asked for may have come too early
        steps.Start(async _ =>
        {
            var length = await _store.CountAsync().ConfigureAwait(false);
            return () =>
            {
                books.Counted(length);
                _mayHoldOthers &= !findsOthers;
            };
        });
    }

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
        _isCountDue |= steps.MayBeDone; // nothing else may be done with the store for long
        steps.GiveUp();
        Pending = null;
        return batch;
    }

    /// <summary>
    /// Another member of the group delivers from now on. A batch that is on its way into the store is given up. A list is forgotten, and what the books say is in it is
    /// handed over. The spool stays this program's own, with its books.
    /// </summary>
    public void HandOver()
    {
        if (!IsCapped)
        {
            GiveUpAppend();
            return;
        }

        steps.Forget();
        books.HandOver();
        (Pending, Trimming, _refusesUntil, _mayHoldOthers) = (null, 0, 0, false);
        if (!IsEnding) _store.Forget();
    }

    /// <summary>Whether another member uses the list from now on, though this one delivers on.</summary>
    public bool HasBeenLost()
    {
        (var was, _wasAnothers) = (_wasAnothers, store.IsAnothers());
        return _wasAnothers && !was;
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
        var wasGivenUp = IsEnding;
        if (!steps.TakeOutcome()) return false;

        if (wasGivenUp && IsCapped) _store.Forget();
        if (steps.FencedBy is { } term) office.Refused(term);
        if (books.NeedsLocating && MayStart) StartLocate();
        else if (wasGivenUp && MayStart) StartCount(); // what of it is there all the same?
        return true;
    }

    /// <summary>
    /// After a failover the list is on another node. There may still be entries there that were removed at the old one when it no longer was the master. The books do not
    /// know of them.
    /// </summary>
    private bool HasMoved()
    {
        if (!IsCapped || !clock.IsPast(_placeKnownUntil)) return false;

        _placeKnownUntil = clock.After(PlaceInterval);
        var place = store.Place();
        if (place == _place || place.StartsWith(NamedStore.Nowhere, StringComparison.Ordinal)) return false;

        (var before, _place) = (_place, place);
        return before is not null;
    }

    /// <summary>Gives the pending batch up, also one that is being appended just now. What of it has arrived is found by a count.</summary>
    private void GiveUpAppend()
    {
        if (Pending is not { } batch) return;

        var mayBeThere = IsBusy || steps.MayBeDone;
        if (mayBeThere) books.GivenUp(batch);
        steps.GiveUp();
        Pending = null;
        if (mayBeThere && MayStart) StartCount();
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
