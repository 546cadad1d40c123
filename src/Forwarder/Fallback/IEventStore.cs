namespace KeyEvt.Forwarder.Fallback;

/// <summary>
/// Where events wait while the broker cannot take them: a list, oldest first. Every call is one step: done or not done.
/// Throws <see cref="StoreException"/>; after it the step may have been done or not.
/// </summary>
internal interface IEventStore
{
    /// <summary>Appends in order, then drops the oldest above <paramref name="cap"/> (0: no cap; negative: only where there is a place besides the list).</summary>
    /// <param name="isRetry">A first try failed on the way: entries that are there already are not appended again.</param>
    Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry);

    /// <summary>Reads entries from <paramref name="offset"/> on, oldest first, without removing them.</summary>
    Task<ReadResult> ReadAsync(long offset, int maxEntries);

    /// <summary>Removes exactly these entries; they were read from the front.</summary>
    /// <param name="lengthBefore">A first try failed on the way: the length before it. A store that is shorter by now has done it.</param>
    Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore);

    Task<long> CountAsync();
}

/// <param name="Length">Entries in the store afterwards.</param>
/// <param name="Trimmed">Oldest entries that the cap dropped.</param>
internal readonly record struct AppendResult(long Length, long Trimmed);

/// <param name="Length">Entries in the store.</param>
internal readonly record struct ReadResult(long Length, IReadOnlyList<ReadOnlyMemory<byte>> Entries);

/// <param name="Length">Entries in the store afterwards.</param>
/// <param name="Removed">How many of the given entries were there.</param>
internal readonly record struct RemoveResult(long Length, long Removed);

/// <summary>Why the store failed: one line for people.</summary>
internal sealed class StoreException(string reason, Exception? inner = null) : Exception(reason, inner)
{
    /// <summary>The store has answered no: the step was not done, and will not be by itself.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>A refusal that says where else to ask: the next try may well succeed.</summary>
    public bool IsPassing { get; init; }
}
