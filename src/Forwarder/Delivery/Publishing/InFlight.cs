using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Delivery.Publishing;

/// <summary>
/// Which events are published and not yet confirmed? A ring by delivery tag. Each link has an instance of its own, so a confirm of an old link cannot settle an event of
/// a new one.
/// </summary>
/// <remarks>Used by the delivery loop only, by way of its publisher. Reports read <see cref="Count"/> from other threads, as it is.</remarks>
internal sealed class InFlight
{
    private readonly Slot[] _ring;
    private ulong _oldest;

    internal struct Slot
    {
        public EventLog? Log; // null: settled
        public long Sequence;
        public int Bytes;
        public long PublishedAt;
        public long UnixMilliseconds; // when the event was read; 0: not known
        public ReadOnlyMemory<byte> MessageId;
        public bool IsReturned;
        public bool IsDeadLetter;
    }

    /// <param name="firstTag">1 on a new link. A later one when unconfirmed events of the same link were forgotten.</param>
    public InFlight(int window, ulong firstTag = 1)
    {
        (_oldest, NextTag) = (firstTag, firstTag);

        // Capacity is twice the window. Confirms arrive out of order; with exactly `window` slots one late tag would block publishing although fewer than
        // `window` are unconfirmed.
        _ring = new Slot[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(window, 2) * 2)];
        Window = window;
    }

    public int Window { get; }

    public ulong NextTag { get; private set; }

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Whether one more may be published: the window is not full, and all tags from the oldest unconfirmed one on fit the ring.</summary>
    public bool HasRoom => Count < Window && NextTag - _oldest < (ulong)_ring.Length;

    /// <summary>Timestamp of the oldest publish that waits for its confirm; null when none does.</summary>
    public long? OldestPublishedAt => Count == 0 ? null : At(_oldest).PublishedAt;

    public void Add(EventLog log, in LogEntry entry, ReadOnlyMemory<byte> messageId, long timestamp, bool isDeadLetter)
    {
        ref var slot = ref At(NextTag++);
        slot = new Slot
        {
            Log = log,
            Sequence = entry.Sequence,
            Bytes = entry.Stored.Length,
            PublishedAt = timestamp,
            UnixMilliseconds = entry.UnixMilliseconds,
            MessageId = messageId,
            IsDeadLetter = isDeadLetter,
        };
        Count++;
        Bytes += slot.Bytes;
    }

    /// <summary>Takes one confirmed event out; false when the tag is unknown or settled.</summary>
    public bool TryTake(ulong tag, out Slot slot)
    {
        if (tag < _oldest || tag >= NextTag || At(tag).Log is null)
        {
            slot = default;
            return false;
        }

        ref var found = ref At(tag);
        slot = found;
        found = default;
        Count--;
        Bytes -= slot.Bytes;
        while (_oldest < NextTag && At(_oldest).Log is null) _oldest++;

        return true;
    }

    /// <summary>Takes the oldest event out that a confirm of all tags up to <paramref name="tag"/> covers. Call it until it returns false.</summary>
    public bool TryTakeUpTo(ulong tag, out Slot slot)
    {
        slot = default;
        return _oldest <= tag && TryTake(_oldest, out slot);
    }

    /// <summary>Marks the event that the broker returned. It returns messages in the order of publishing, so the search starts at the oldest.</summary>
    public void MarkReturned(ReadOnlySpan<byte> messageId)
    {
        for (var tag = _oldest; tag < NextTag; tag++)
        {
            ref var slot = ref At(tag);
            if (slot.Log is null || slot.IsReturned || !slot.MessageId.Span.SequenceEqual(messageId)) continue;

            slot.IsReturned = true;
            return;
        }
    }

    private ref Slot At(ulong tag) => ref _ring[tag & (ulong)(_ring.Length - 1)];
}
