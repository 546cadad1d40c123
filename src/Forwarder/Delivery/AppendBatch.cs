using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>Which events are on their way from memory into one store? They stay claimed in memory until they are there.</summary>
internal sealed class AppendBatch(EventLog from)
{
    private readonly List<ReadOnlyMemory<byte>> _entries = [];
    private readonly List<LogEntry> _claimed = [];

    public StoreRuns Runs { get; private set; } = new();

    public IReadOnlyList<ReadOnlyMemory<byte>> Entries => _entries;

    public void Add(in LogEntry entry, int turn)
    {
        // A copy: a step that timed out may still be on its way in the client library when these entries are long settled.
        byte[] copy = entry.Stored.ToArray();
        _entries.Add(copy);
        _claimed.Add(entry with { Stored = copy });
        Runs.Add(turn, 1);
    }

    /// <summary>They go into another store than they were meant for.</summary>
    public void Turn(Func<LogEntry, int> turnOf)
    {
        Runs = new StoreRuns();
        foreach (var entry in _claimed)
            Runs.Add(turnOf(entry), 1);
    }

    public void Settle()
    {
        foreach (var entry in _claimed)
            from.Settle(entry.Sequence, Settlement.Stored);
    }
}
