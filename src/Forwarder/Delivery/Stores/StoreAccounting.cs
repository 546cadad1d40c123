using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>
/// How many entries should be in one store, and what became of those that are missing? After each step the store's length is compared with the books.
/// </summary>
/// <remarks>
/// <para>Missing entries were evicted, flushed, or taken by somebody. They count as lost, except for those that were read ahead: these are still sent.</para>
/// <para>Extra entries were left there by somebody. They are adopted, and sent like all others.</para>
/// <para>
/// A length does not tell at which end entries are missing. While entries are read ahead, a difference is looked into before anything else is done: the front of the store is
/// read and compared with them (<see cref="NeedsLocating"/>).
/// </para>
/// <para>Written by the delivery loop only. Reports read <see cref="Length"/> and <see cref="ReadAheadCount"/> from other threads, as they are.</para>
/// </remarks>
/// <param name="drain">The log that entries are read into; shared by all stores.</param>
/// <param name="foundEpoch">The epoch of entries that an earlier run left there.</param>
internal sealed class StoreAccounting(EventLog drain, long foundEpoch, Ledger ledger)
{
    private readonly ReadAhead _readAhead = new(drain);
    private (long Epoch, long Count) _givenUp; // the last batch that was given up although it may have arrived
    private int _expectedGone;                // settled entries that a removal without an answer may have removed

    /// <summary>Entries not read yet: <see cref="Length"/> without <see cref="ReadAheadCount"/>.</summary>
    public UnreadByEpoch Unread { get; } = new();

    /// <summary>Entries in the store; those that are being sent included.</summary>
    public long Length { get; private set; }

    /// <summary>Entries at the front of the store that are also in the drain log.</summary>
    public long ReadAheadCount => _readAhead.Count;

    /// <summary>How the store must begin: with the entries that were read ahead. Null when there are none.</summary>
    public StoreEnds? Ends => _readAhead.Ends;

    /// <summary>Whether nothing is in the store, and all that was read from it is settled.</summary>
    public bool IsEmpty => Length == 0 && _readAhead.IsEmpty;

    /// <summary>Whether the front of the store has to be read before any other step, see the remarks above.</summary>
    public bool NeedsLocating { get; private set; }

    public IReadOnlyList<ReadOnlyMemory<byte>> Removable(bool part) => _readAhead.Removable(part);

    /// <summary>A batch was appended at the end of the store, and the oldest entries above the cap were dropped.</summary>
    public void Appended(AppendBatch batch, long cap, AppendResult result, bool isRetry)
    {
        batch.Settle();
        Length += batch.Entries.Count;
        Unread.Add(batch.Epoch, batch.Entries.Count);
        Capped(batch.Entries.Count, cap, result, isRetry);
    }

    /// <summary>
    /// The oldest entries above the cap were dropped. When a first try did that and its answer was lost, the retry reports none; the number is then worked out from the lengths,
    /// so that the drop has its right reason.
    /// </summary>
    public void Capped(int appended, long cap, AppendResult result, bool isRetry)
    {
        var trimmed = result.Trimmed;
        if (isRetry && trimmed == 0 && cap > 0)
        {
            var due = Math.Clamp(Length - cap, 0, StoreSteps.MostTrimmed(appended));
            trimmed = Length - due == result.Length ? due : 0;
        }

        if (trimmed > 0) ledger.DroppedFromFallback(DropReason.FallbackCap, RecordVanishedHead(trimmed));
        Counted(result.Length);
    }

    /// <summary>
    /// Entries were read behind those that were read ahead before. As the store still begins with those, missing or extra entries are behind them. Entries of a later epoch than
    /// was thought are left, and read again when it is their turn.
    /// </summary>
    public void Read(ReadResult result)
    {
        if (result.IsOther)
        {
            NeedsLocating = true;
            return;
        }

        Book(Length - result.Length, isFront: ReadAheadCount == 0);
        var entries = OfFirstEpoch(result.Entries);
        if (entries.Count == 0) return;

        _readAhead.Add(entries);
        Unread.TakeFront(entries.Count);
    }

    /// <summary>The outcome of removing `count` settled entries from the front.</summary>
    public void Removed(RemoveResult result, int count)
    {
        if (!result.IsRemoved)
        {
            (NeedsLocating, _expectedGone) = (true, count); // a first try may have removed just these
            return;
        }

        _readAhead.Removed(count);
        Length -= count;
        Book(Length - result.Length, isFront: false);
    }

    /// <summary>The store has so many entries.</summary>
    public void Counted(long actual)
    {
        if (actual != Length && ReadAheadCount > 0) NeedsLocating = true;
        else Book(Length - actual, isFront: true);
    }

    /// <summary>A batch was given up that may have arrived. If so many entries are found soon, they are taken for it and get its epoch.</summary>
    public void GivenUp(AppendBatch batch) => _givenUp = (batch.Epoch, batch.Entries.Count);

    /// <summary>Another member of the group sends what is there. The books begin anew, with the first count.</summary>
    public void HandOver()
    {
        ledger.HandedOverFromFallback(Length - ReadAheadCount);
        _readAhead.HandOver();
        Unread.Clear();
        (Length, NeedsLocating, _expectedGone, _givenUp) = (0, false, 0, default);
    }

    /// <summary>Compares the front of the store with the entries that were read ahead, and records which of them have gone. All of them are still sent.</summary>
    public void Located(ReadResult front)
    {
        ReadOnlyMemory<byte>[] ahead = [.. _readAhead.Entries];
        var first = PlaceOf(front, ahead);
        var inStore = CommonLength(front, ahead, first);
        _readAhead.RecordVanishedHead(first);
        _readAhead.RecordVanishedTail(ahead.Length - first - inStore);
        Length -= ahead.Length - inStore;
        (NeedsLocating, _expectedGone) = (false, 0);
        Book(Length - front.Length, isFront: inStore == 0);
    }

    private IReadOnlyList<ReadOnlyMemory<byte>> OfFirstEpoch(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            var epoch = LogEntry.EpochOf(entries[i].Span);
            if (epoch <= Unread.First.Epoch) continue;

            return i > 0 ? [.. entries.Take(i)] : Unread.TryRaiseFirst(epoch) ? [] : entries;
        }

        return entries;
    }

    /// <summary>The index of the entry that the store begins with; the number of entries when it begins with none of them.</summary>
    private int PlaceOf(ReadResult front, ReadOnlyMemory<byte>[] ahead)
    {
        var mayBeDone = _expectedGone > 0 && Length - _expectedGone == front.Length;
        if (mayBeDone && (_expectedGone == ahead.Length || CommonLength(front, ahead, _expectedGone) > 0)) return _expectedGone;

        var place = 0;
        while (place < ahead.Length && CommonLength(front, ahead, place) == 0) place++;
        return place;
    }

    /// <summary>How many entries, from index `from` on, the store begins with.</summary>
    private static int CommonLength(ReadResult front, ReadOnlyMemory<byte>[] ahead, int from)
    {
        int most = Math.Min(front.Entries.Count, ahead.Length - from), common = 0;
        while (common < most && front.Entries[common].Span.SequenceEqual(ahead[from + common].Span)) common++;
        return common;
    }

    /// <summary>Brings the books to the store's length.</summary>
    /// <param name="missing">Below zero: so many extra entries are there.</param>
    /// <param name="isFront">Whether they are missing at the front; else at the end.</param>
    private void Book(long missing, bool isFront)
    {
        if (missing < 0)
        {
            Adopt(-missing);
        }
        else if (missing > 0)
        {
            ledger.DroppedFromFallback(DropReason.FallbackLost, isFront ? RecordVanishedHead(missing) : RecordVanishedTail(missing));
        }

        _givenUp = default;
    }

    private void Adopt(long found)
    {
        Length += found;
        if (found <= _givenUp.Count) Unread.Add(_givenUp.Epoch, found); // the batch had arrived after all
        else Unread.AddInFront(foundEpoch, found);
        ledger.Adopted(found);
    }

    /// <summary>`count` entries have disappeared from the head of the store. Those already read ahead are still delivered. Returns how many were not, and so are lost.</summary>
    private long RecordVanishedHead(long count)
    {
        if (count > Length) Adopt(count - Length); // somebody had added them, and nobody had counted them before they went

        var ahead = Math.Min(count, ReadAheadCount);
        _readAhead.RecordVanishedHead(ahead);
        Unread.TakeFront(count - ahead);
        Length -= count;
        return count - ahead;
    }

    /// <summary>The newest `count` entries have disappeared. Returns how many had not been read ahead, and so are lost.</summary>
    private long RecordVanishedTail(long count)
    {
        var unread = Math.Min(count, Unread.Count);
        Unread.TakeBack(unread);
        _readAhead.RecordVanishedTail(count - unread);
        Length -= count;
        return unread;
    }
}
