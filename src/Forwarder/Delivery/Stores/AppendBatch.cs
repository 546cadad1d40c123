using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Which events are on their way from memory into one store? They stay claimed in memory until they are there.</summary>
internal sealed class AppendBatch(EventLog from, int epoch)
{
    private readonly List<ReadOnlyMemory<byte>> _stored = [];
    private readonly List<LogEntry> _entries = [];

    /// <summary>When the events may be delivered, see <see cref="EpochAssigner"/>. It becomes a later one when another store has to take them.</summary>
    public int Epoch { get; set; } = epoch;

    public IReadOnlyList<LogEntry> Entries => _entries;

    /// <summary>The same entries in their stored form.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Stored => _stored;

    public void Add(in LogEntry entry)
    {
        // A copy: after a timeout the client library may still send these bytes, when the entries are settled and their memory is used for others.
        var copy = entry.Stored.ToArray();
        _stored.Add(copy);
        _entries.Add(entry with { Stored = copy });
    }

    public void Settle()
    {
        foreach (var entry in _entries) from.Settle(entry.Sequence, Settlement.Stored);
    }
}
