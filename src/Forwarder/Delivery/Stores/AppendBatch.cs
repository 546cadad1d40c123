using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Which events are on their way from memory into one store? They stay claimed in memory until they are there.</summary>
internal sealed class AppendBatch(EventLog from, int epoch)
{
    private readonly List<ReadOnlyMemory<byte>> _stored = [];
    private readonly List<LogEntry> _entries = [];

    /// <summary>When they may go out, see <see cref="UnreadByEpoch"/>; a later one when another store has to take them.</summary>
    public int Epoch { get; set; } = epoch;

    public IReadOnlyList<LogEntry> Entries => _entries;

    /// <summary>The same in the form in which they are stored.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Stored => _stored;

    public void Add(in LogEntry entry)
    {
        // A copy: a step that timed out may still be on its way in the client library when these entries are long settled.
        byte[] copy = entry.Stored.ToArray();
        _stored.Add(copy);
        _entries.Add(entry with { Stored = copy });
    }

    public void Settle()
    {
        foreach (var entry in _entries)
            from.Settle(entry.Sequence, Settlement.Stored);
    }
}
