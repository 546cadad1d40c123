using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>
/// How many entries should be in one store, and where have those gone that are not? After each step the length that the store tells is compared with the books. What is missing
/// was evicted, flushed or taken by somebody: it is counted as lost, except for what has been read already and is being sent. What is too much was found: somebody left it there.
/// </summary>
/// <remarks>
/// A length does not tell from which end something is missing. So while entries are being sent, a difference is first looked into: the front of the store is read and
/// compared with them (<see cref="NeedsLocating"/>).
/// </remarks>
/// <param name="drain">Where what is read goes; shared by all stores.</param>
/// <param name="foundEpoch">The epoch of what an earlier run left there.</param>
internal sealed class StoreAccounting(EventLog drain, int foundEpoch, Ledger ledger)
{
    private readonly ReadAhead _readAhead = new(drain);
    private (int Epoch, long Count) _givenUp; // a batch that may have arrived all the same
    private int _expectedGone;

    /// <summary>Entries not read yet: <see cref="Length"/> without <see cref="ReadAheadCount"/>.</summary>
    public UnreadByEpoch Unread { get; } = new();

    /// <summary>Entries in the store; those that are being sent included.</summary>
    public long Length { get; private set; }

    /// <summary>Entries at the front of the store that are also in the drain log.</summary>
    public long ReadAheadCount => _readAhead.Count;

    /// <summary>How the claimed entries begin, which are the first in the store; null when none is claimed.</summary>
    public StoreEnds? Ends => _readAhead.Ends;

    /// <summary>Nothing in the store, nothing read from it and not settled.</summary>
    public bool IsEmpty => Length == 0 && _readAhead.IsEmpty;

    /// <summary>The store is not as it should be: nothing is done with it before its front has been read.</summary>
    public bool NeedsLocating { get; private set; }

    public IReadOnlyList<ReadOnlyMemory<byte>> Removable(bool part) => _readAhead.Removable(part);

    /// <summary>A batch is at the end of the store, and has made room for itself.</summary>
    public void Appended(AppendBatch batch, long cap, AppendResult result, bool isRetry)
    {
        batch.Settle();
        Length += batch.Entries.Count;
        Unread.Add(batch.Epoch, batch.Entries.Count);
        Capped(batch.Entries.Count, cap, result, isRetry);
    }

    /// <summary>The cap has dropped some of the oldest. Where the first try had done it, its answer is gone, but not the reason.</summary>
    public void Capped(int appended, long cap, AppendResult result, bool isRetry)
    {
        long trimmed = result.Trimmed;
        if (isRetry && trimmed == 0 && cap > 0)
        {
            long due = Math.Clamp(Length - cap, 0, StoreSteps.MostTrimmed(appended));
            trimmed = Length - due == result.Length ? due : 0;
        }

        if (trimmed > 0)
            ledger.DroppedFromFallback(DropReason.FallbackCap, RecordVanishedHead(trimmed));
        Counted(result.Length);
    }

    /// <summary>Entries were read behind those that are claimed. Where these are as they should be, what is missing, or too much, is behind them.</summary>
    public void Read(ReadResult result)
    {
        if (result.IsOther)
        {
            NeedsLocating = true;
            return;
        }

        Book(Length - result.Length, isFront: ReadAheadCount == 0);
        if (result.Entries.Count == 0)
            return;

        _readAhead.Add(result.Entries);
        Unread.TakeFront(result.Entries.Count);
    }

    /// <summary>Settled entries were to be removed from the front.</summary>
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
        if (actual != Length && ReadAheadCount > 0)
            NeedsLocating = true;
        else
            Book(Length - actual, isFront: true);
    }

    /// <summary>A batch was given up that may have arrived: should it be found, it is no older than its epoch.</summary>
    public void GivenUp(AppendBatch batch) => _givenUp = (batch.Epoch, batch.Entries.Count);

    /// <summary>The front of the store, as it is, tells which of the claimed entries are still in it. All of them are sent all the same.</summary>
    public void Located(ReadResult front)
    {
        ReadOnlyMemory<byte>[] claimed = [.. _readAhead.Entries];
        int first = PlaceOf(front, claimed);
        int inStore = CommonLength(front, claimed, first);
        _readAhead.RecordVanishedHead(first);
        _readAhead.RecordVanishedTail(claimed.Length - first - inStore);
        Length -= claimed.Length - inStore;
        (NeedsLocating, _expectedGone) = (false, 0);
        Book(Length - front.Length, isFront: inStore == 0);
    }

    /// <summary>At which of the claimed entries does the store begin? At none: as many as there are.</summary>
    private int PlaceOf(ReadResult front, ReadOnlyMemory<byte>[] claimed)
    {
        bool mayBeDone = _expectedGone > 0 && Length - _expectedGone == front.Length;
        if (mayBeDone && (_expectedGone == claimed.Length || CommonLength(front, claimed, _expectedGone) > 0))
            return _expectedGone;

        int place = 0;
        while (place < claimed.Length && CommonLength(front, claimed, place) == 0)
            place++;
        return place;
    }

    /// <summary>How many of the claimed entries, from that one on, the store begins with.</summary>
    private static int CommonLength(ReadResult front, ReadOnlyMemory<byte>[] claimed, int from)
    {
        int most = Math.Min(front.Entries.Count, claimed.Length - from), common = 0;
        while (common < most && front.Entries[common].Span.SequenceEqual(claimed[from + common].Span))
            common++;
        return common;
    }

    /// <param name="missing">Below zero: so many more are there.</param>
    /// <param name="isFront">From which end they are missing.</param>
    private void Book(long missing, bool isFront)
    {
        if (missing < 0)
            Adopt(-missing);
        else if (missing > 0)
            ledger.DroppedFromFallback(DropReason.FallbackLost, isFront ? RecordVanishedHead(missing) : RecordVanishedTail(missing));
        _givenUp = default;
    }

    private void Adopt(long found)
    {
        Length += found;
        if (found <= _givenUp.Count)
            Unread.Add(_givenUp.Epoch, found); // it had arrived after all
        else
            Unread.AddInFront(foundEpoch, found);
        ledger.Adopted(found);
    }

    /// <summary>`count` entries have left the front of the store. Those that are claimed are sent all the same. Returns how many were not, and so are not sent.</summary>
    private long RecordVanishedHead(long count)
    {
        long claimed = Math.Min(count, ReadAheadCount);
        _readAhead.RecordVanishedHead(claimed);
        Unread.TakeFront(count - claimed);
        Length -= count;
        return count - claimed;
    }

    /// <summary>The same of the newest.</summary>
    private long RecordVanishedTail(long count)
    {
        long unread = Math.Min(count, Unread.Count);
        Unread.TakeBack(unread);
        _readAhead.RecordVanishedTail(count - unread);
        Length -= count;
        return unread;
    }
}
