namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>What was stored last, for the case that a failover leaves it behind?</summary>
/// <remarks>
/// Redis acknowledges what its replicas have not got yet, and a promoted replica never gets it. WAIT would cost a round trip for each batch and prove little: any replica
/// may answer it, and not the one that is promoted. So the end of the list is kept here as well, bounded by bytes, as long as it is in the list.
/// </remarks>
internal sealed class RecentEntries(long maxBytes)
{
    /// <summary>What an entry costs besides its bytes.</summary>
    private const int Overhead = 64;

    private readonly Queue<ReadOnlyMemory<byte>> _entries = new();
    private ReadOnlyMemory<byte> _last;
    private long _bytes;

    public int Count => _entries.Count;

    /// <summary>The entries are at the end of the list now; said twice of the same ones, it counts once.</summary>
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

    /// <summary>The list is only so long: what was before is sent, or dropped.</summary>
    public void KeepLast(long count)
    {
        while (_entries.Count > count) Forget();
    }

    /// <summary>What is missing behind the last entry of a list, in order: all of them when it is none of these.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> After(ReadOnlyMemory<byte> last)
    {
        ReadOnlyMemory<byte>[] entries = [.. _entries];
        var found = Array.FindLastIndex(entries, entry => entry.Span.SequenceEqual(last.Span));
        return entries[(found + 1)..];
    }

    private void Forget() => _bytes -= _entries.Dequeue().Length + Overhead;
}
