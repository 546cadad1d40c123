namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>Which entries were stored last, in case a failover loses them?</summary>
/// <remarks>
/// Redis acknowledges entries that its replicas have not received yet. A replica that is promoted never gets them. WAIT would cost a round trip for
/// each batch and prove little, because any replica may answer it, not only the one that is promoted. So the end of the list is also kept here, up to
/// a number of bytes, for as long as it is in the list.
/// </remarks>
internal sealed class RecentEntries(long maxBytes)
{
    /// <summary>Estimated memory of an entry in addition to its bytes.</summary>
    private const int Overhead = 64;

    private readonly Queue<ReadOnlyMemory<byte>> _entries = new();
    private ReadOnlyMemory<byte> _last;
    private long _bytes;

    public int Count => _entries.Count;

    /// <summary>Notes that these entries are at the end of the list. A second call with the same entries changes nothing.</summary>
    public void Add(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        if (entries.Count == 0 || (_entries.Count > 0 && _last.Span.SequenceEqual(entries[^1].Span))) return;

        foreach (var entry in entries)
        {
            _entries.Enqueue(entry);
            _bytes += entry.Length + Overhead;
        }

        _last = entries[^1];
        while (_bytes > maxBytes) Forget();
    }

    /// <summary>Keeps only the last <paramref name="count"/> entries, because the list is only that long. The others have been sent or dropped.</summary>
    public void KeepLast(long count)
    {
        while (_entries.Count > count) Forget();
    }

    /// <summary>The entries that are missing behind a list's last entry, in order. All of them, if that last entry is not among them.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> After(ReadOnlyMemory<byte> last)
    {
        ReadOnlyMemory<byte>[] entries = [.. _entries];
        var found = Array.FindLastIndex(entries, entry => entry.Span.SequenceEqual(last.Span));
        return entries[(found + 1)..];
    }

    private void Forget() => _bytes -= _entries.Dequeue().Length + Overhead;
}
