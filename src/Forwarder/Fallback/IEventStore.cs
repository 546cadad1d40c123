namespace KeyEvt.Forwarder.Fallback;

/// <summary>
/// Where events wait while the broker cannot take them: a list, oldest first. Every call is one step: done or not done. A step costs the store time for what is in
/// the step, however long the list is and whatever others have done to it.
/// Throws <see cref="StoreException"/>; after it the step may have been done or not.
/// </summary>
internal interface IEventStore
{
    /// <summary>Appends in order, then drops the oldest above <paramref name="cap"/>, as many as <see cref="StoreSteps.MostTrimmed"/> allows.</summary>
    /// <param name="entries">None: only the cap counts.</param>
    /// <param name="cap">0: none.</param>
    /// <param name="isRetry">A first try failed on the way: entries that are there already are not appended again.</param>
    Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry);

    /// <summary>Reads entries from <paramref name="offset"/> on, oldest first, without removing them.</summary>
    /// <param name="before">How the entries before <paramref name="offset"/> must begin; if they do not, nothing is read. Null: however they begin.</param>
    /// <param name="maxBytes">No further entry is read once so many bytes have been; at least one is.</param>
    Task<ReadResult> ReadAsync(long offset, StoreEnds? before, int maxEntries, int maxBytes);

    /// <summary>Removes these entries if they are the front of the list, in this order; otherwise nothing.</summary>
    /// <param name="lengthBefore">A first try failed on the way: the length before it. If the list has another one by now, nothing is done: the first try may have done it.</param>
    Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore);

    Task<long> CountAsync();
}

/// <param name="Length">Entries in the store afterwards.</param>
/// <param name="Trimmed">Oldest entries that the cap dropped.</param>
internal readonly record struct AppendResult(long Length, long Trimmed);

/// <param name="Length">Entries in the store.</param>
/// <param name="IsOther">The entries before the offset are not the expected ones: nothing was read.</param>
internal readonly record struct ReadResult(long Length, IReadOnlyList<ReadOnlyMemory<byte>> Entries, bool IsOther = false);

/// <summary>How the first and the last of some entries begin, see <see cref="StoreSteps.HeadOf"/>.</summary>
internal sealed record StoreEnds(ReadOnlyMemory<byte> First, ReadOnlyMemory<byte> Last);

/// <param name="Length">Entries in the store afterwards.</param>
/// <param name="IsRemoved">False: the entries are not the front of the list, and nothing was done.</param>
internal readonly record struct RemoveResult(long Length, bool IsRemoved);
