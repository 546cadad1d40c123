using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What did a feed hand over? Keeps a copy of everything.</summary>
internal sealed class RecordingSink : IEventSink
{
    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];
    private readonly List<string> _before = [];
    private readonly List<string> _kept = [];
    private long _batches;

    public sealed record Entry(EventPosition Position, int Database, EventClass Class, string Event, byte[] KeyBytes, byte[] FieldBytes, long At)
    {
        public string Key => System.Text.Encoding.Latin1.GetString(KeyBytes);

        /// <summary>As the server lists them.</summary>
        public string Fields => System.Text.Encoding.Latin1.GetString(FieldBytes);
    }

    public IReadOnlyList<Entry> Entries
    {
        get
        {
            lock (_gate) return [.. _entries];
        }
    }

    public IReadOnlyList<string> Keys => [.. Entries.Select(entry => entry.Key)];

    /// <summary>The keys of what came before the last change of the configuration.</summary>
    public IReadOnlyList<string> Before
    {
        get
        {
            lock (_gate) return [.. _before];
        }
    }

    /// <summary>The keys of what was kept, and passed on later.</summary>
    public IReadOnlyList<string> Kept
    {
        get
        {
            lock (_gate) return [.. _kept];
        }
    }

    /// <summary>Whether it wants anything at the moment.</summary>
    public bool IsWanting { get; set; } = true;

    /// <summary>What was handed over is not safe anywhere yet.</summary>
    public bool IsUnsettled { get; set; }

    /// <summary>Up to which mark what was handed over is safe.</summary>
    public long SettledMark { get; set; } = long.MaxValue;

    /// <summary>Nothing more is taken.</summary>
    public bool IsClosed { get; set; }

    public long Batches => Volatile.Read(ref _batches);

    public void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds)
    {
        lock (_gate)
        {
            _entries.Add(new Entry(position, database, eventClass, System.Text.Encoding.Latin1.GetString(eventName), key.ToArray(), fields.ToArray(), unixMilliseconds));
        }
    }

    public void ReceivedBefore(
        in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds)
    {
        lock (_gate) _before.Add(System.Text.Encoding.Latin1.GetString(key));
        Received(position, database, eventClass, eventName, key, fields, unixMilliseconds);
    }

    public bool Wants(int database, EventClass eventClass, ReadOnlySpan<byte> key, bool isBefore) => IsWanting;

    public void Adopted(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds)
    {
        lock (_gate) _kept.Add(System.Text.Encoding.Latin1.GetString(key));
        Received(position, database, eventClass, eventName, key, fields, unixMilliseconds);
    }

    public void EndOfBatch() => Interlocked.Increment(ref _batches);

    public long? Mark() => IsClosed ? null : Entries.Count;

    public bool IsSettled(long mark) => !IsUnsettled && mark <= SettledMark;
}
