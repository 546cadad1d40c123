namespace KeyEvt.Forwarder.Fallback;

/// <summary>
/// Stores events while the broker cannot accept them: a list, oldest first. Each call is one atomic step. A step's cost depends on its own entries
/// only, not on how long the list is or what others have done to it. Throws <see cref="StoreException"/>. The step may then have been done or not.
/// </summary>
internal interface IEventStore
{
    /// <summary>
    /// Appends the entries in order. Then drops the oldest entries above <paramref name="cap"/>, at most as many as
    /// <see cref="StoreSteps.MostTrimmed"/> allows.
    /// </summary>
    /// <param name="entries">May be empty; then only the cap is applied.</param>
    /// <param name="cap">Maximum length of the list; 0 for no limit.</param>
    /// <param name="isRetry">True after a first try that failed on the way: entries that are already there are not appended again.</param>
    Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry);

    /// <summary>Reads entries from <paramref name="offset"/> on, oldest first, without removing them.</summary>
    /// <param name="before">How the entries in front of <paramref name="offset"/> must begin. If they do not, nothing is read. Null: not checked.</param>
    /// <param name="maxBytes">Reading stops after the entry that reaches this many bytes. At least one entry is read.</param>
    Task<ReadResult> ReadAsync(long offset, StoreEnds? before, int maxEntries, int maxBytes);

    /// <summary>Removes these entries if they are the front of the list, in this order. Otherwise does nothing.</summary>
    /// <param name="lengthBefore">
    /// After a first try that failed on the way: the list's length before that try. If the length differs, nothing is done, because the first try may
    /// have succeeded. Null on a first try.
    /// </param>
    Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore);

    Task<long> CountAsync();

    /// <summary>Forgets what it remembers of earlier steps, since others use the store from here on. Called while no step runs.</summary>
    void Forget()
    {
    }
}

/// <param name="Length">Entries in the store afterwards.</param>
/// <param name="Trimmed">How many of the oldest entries were dropped because of the cap.</param>
internal readonly record struct AppendResult(long Length, long Trimmed);

/// <param name="Length">Entries in the store.</param>
/// <param name="IsOther">True if the entries in front of the offset are not the expected ones, so that nothing was read.</param>
internal readonly record struct ReadResult(long Length, IReadOnlyList<ReadOnlyMemory<byte>> Entries, bool IsOther = false);

/// <summary>How the first and the last of several entries begin; see <see cref="StoreSteps.HeadOf"/>.</summary>
internal sealed record StoreEnds(ReadOnlyMemory<byte> First, ReadOnlyMemory<byte> Last);

/// <param name="Length">Entries in the store afterwards.</param>
/// <param name="IsRemoved">False if the entries are not the front of the list, so that nothing was done.</param>
internal readonly record struct RemoveResult(long Length, bool IsRemoved);
