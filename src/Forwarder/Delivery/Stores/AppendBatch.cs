using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Which events are on their way from memory into one store? They stay claimed in memory until they are there.</summary>
/// <param name="epoch">When the events may be delivered, see <see cref="EpochAssigner"/>.</param>
/// <param name="isStamped">Whether the epoch is stored with them, because there may be several stores.</param>
internal sealed class AppendBatch(EventLog from, long epoch, bool isStamped)
{
    private readonly List<LogEntry> _entries = [];
    private IReadOnlyList<ReadOnlyMemory<byte>>? _stored;

    public long Epoch { get; private set; } = epoch;

    /// <summary>Copies: after a timeout the client library may still send their bytes, when the events are settled and their memory is used for others.</summary>
    public IReadOnlyList<LogEntry> Entries => _entries;

    /// <summary>The same entries in their stored form.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Stored => _stored ??= [.. _entries.Select(Form)];

    public void Add(in LogEntry entry) => _entries.Add(entry with { Stored = entry.Stored.ToArray() });

    /// <summary>Another store has to take the events, behind what was stored meanwhile.</summary>
    public void Move(long later) => (Epoch, _stored) = (later, null);

    public void Settle()
    {
        foreach (var entry in _entries) from.Settle(entry.Sequence, Settlement.Stored);
    }

    private ReadOnlyMemory<byte> Form(LogEntry entry) => isStamped && entry.HeadLength > 0 ? StoredForm.WithEpoch(entry.Stored.Span, entry.HeadLength, Epoch) : entry.Stored;
}
