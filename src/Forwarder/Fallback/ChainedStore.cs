using KeyEvt.Forwarder.Fallback.Spool;

namespace KeyEvt.Forwarder.Fallback;

/// <summary>
/// Which of two stores takes an event: the list in Redis or the spool on this machine? The list as long as it takes them; the spool
/// when the list refuses or is switched off (a negative cap), and from then on everything until the spool is empty, because what is in the spool is newer than what is
/// in the list. Read and removed in that order.
/// </summary>
internal sealed class ChainedStore(IEventStore list, LocalSpool spool) : IEventStore
{
    /// <summary>
    /// Failures in a row without an answer after which the spool is used as well. Not at once: a batch whose answer got lost may be in
    /// the list, and would then be sent twice, with equal ids. And while Redis is away, no events come.
    /// </summary>
    private const int UnansweredTries = 5;

    private long _listLength;
    private int _unanswered;

    public async Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry)
    {
        var mayBeInList = false;
        if (spool.Count == 0 && cap >= 0)
        {
            try
            {
                var result = await list.AppendAsync(entries, cap, isRetry).ConfigureAwait(false);
                _listLength = result.Length;
                _unanswered = 0;
                return result;
            }
            catch (StoreException e) when ((e.IsRefusal && !isRetry) || ++_unanswered >= UnansweredTries)
            {
                _unanswered = 0;
                mayBeInList = !e.IsRefusal;
            }
        }

        try
        {
            await spool.AppendAsync(entries, 0, isRetry).ConfigureAwait(false);
        }
        catch (StoreException e) when (mayBeInList)
        {
            throw new StoreException(e.Message, e);
        }

        return new AppendResult(_listLength + spool.Count, 0);
    }

    public async Task<ReadResult> ReadAsync(long offset, int maxEntries)
    {
        var older = await list.ReadAsync(offset, maxEntries).ConfigureAwait(false);
        var hasShrunk = older.Length < _listLength;
        _listLength = older.Length;
        if (older.Entries.Count > 0 || spool.Count == 0 || hasShrunk)
            return new ReadResult(older.Length + spool.Count, hasShrunk ? [] : older.Entries); // shrunk behind our back: the offset is to be counted anew

        var newer = await spool.ReadAsync(Math.Max(0, offset - older.Length), maxEntries).ConfigureAwait(false);
        return newer with { Length = older.Length + newer.Length };
    }

    /// <summary>From the list, and what was not there from the front of the spool; an entry that had got into both counts once.</summary>
    public async Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore)
    {
        var removed = 0L;
        if (_listLength > 0)
        {
            var ofList = await list.RemoveAsync(entries, lengthBefore - spool.Count).ConfigureAwait(false);
            _listLength = ofList.Length;
            removed = ofList.Removed;
        }

        if (removed < entries.Count)
            removed += (await spool.RemoveAsync(entries, null).ConfigureAwait(false)).Removed;

        return new RemoveResult(_listLength + spool.Count, Math.Min(removed, entries.Count));
    }

    public async Task<long> CountAsync()
    {
        _listLength = await list.CountAsync().ConfigureAwait(false);
        return _listLength + spool.Count;
    }
}
