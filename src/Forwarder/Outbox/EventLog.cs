using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Outbox;

/// <summary>
/// Which events are waiting, and in which order? A ring of entries with three marks: <c>head</c> (oldest not settled), <c>next</c> (first not claimed) and <c>tail</c>.
/// </summary>
/// <remarks>
/// <para>A claimed entry is handed out and stays in the log until it is settled. So sending unconfirmed events again, in order, is one assignment: next = head.</para>
/// <para>The bytes are bounded. Beyond the bound the oldest unclaimed entries are dropped.</para>
/// <para>Thread safe: all fields are read and written under the lock. Feeds append; the delivery loop does all else.</para>
/// </remarks>
internal sealed class EventLog(Ledger ledger, WaitingPlace place, long maxBytes)
{
    /// <summary>Bytes that an entry costs besides its own. They count, so that a million tiny events do not use more memory than the bound.</summary>
    public const int EntryOverhead = 64;

    private readonly Lock _gate = new();
    private readonly ByteSlab _slab = new();
    private Slot[] _ring = new Slot[1024];
    private long _head;
    private long _next;
    private long _tail;
    private long _live;
    private long _bytes;

    private struct Slot
    {
        public ByteSlab.Block? Block; // null: settled
        public ReadOnlyMemory<byte> Stored;
        public int HeadLength;
        public int Attempts;
        public long UnixMilliseconds;
    }

    /// <summary>Entries not settled, claimed ones included.</summary>
    public long Count
    {
        get { lock (_gate) return _live; }
    }

    /// <summary>The sequence of the next entry.</summary>
    public long Tail
    {
        get { lock (_gate) return _tail; }
    }

    /// <summary>The sequence of the oldest entry that is not settled; that of the next one when all are.</summary>
    public long Head
    {
        get { lock (_gate) return _head; }
    }

    public long Bytes
    {
        get { lock (_gate) return _bytes; }
    }

    public bool IsEmpty => Count == 0;

    public long MaxBytes => maxBytes;

    /// <summary>Whether an entry is there that is not claimed.</summary>
    public bool HasUnclaimed
    {
        get { lock (_gate) return FindUnclaimed(); }
    }

    /// <summary>Appends an event in its stored form. The ledger has already counted it as waiting.</summary>
    /// <returns>The entry's sequence.</returns>
    public long Append(ReadOnlySpan<byte> stored, int headLength, long unixMilliseconds)
    {
        lock (_gate)
        {
            MakeRoom(stored.Length + EntryOverhead);
            stored.CopyTo(Reserve(stored.Length, headLength, unixMilliseconds).Span);
            return _tail - 1;
        }
    }

    /// <summary>Appends an event whose stored form the caller composes in place: no copy in between.</summary>
    public void Append<TState>(int length, int headLength, long unixMilliseconds, in TState state, Composer<TState> compose)
        where TState : allows ref struct
    {
        lock (_gate)
        {
            MakeRoom(length + EntryOverhead);
            compose(Reserve(length, headLength, unixMilliseconds).Span, in state);
        }
    }

    public delegate void Composer<TState>(Span<byte> destination, in TState state)
        where TState : allows ref struct;

    /// <summary>Hands out the oldest unclaimed entry; it stays in the log until it is settled.</summary>
    public bool TryClaim(out LogEntry entry)
    {
        lock (_gate)
        {
            if (!FindUnclaimed())
            {
                entry = default;
                return false;
            }

            ref var slot = ref At(_next);
            entry = new LogEntry(_next, slot.Stored, slot.HeadLength, slot.UnixMilliseconds, slot.Attempts);
            _next++;
            return true;
        }
    }

    /// <summary>Everything claimed and not settled can be claimed again, oldest first.</summary>
    public void UnclaimAll()
    {
        lock (_gate) _next = _head;
    }

    /// <summary>The entry claimed last can be claimed again, before any newer one.</summary>
    public void Unclaim(long sequence)
    {
        lock (_gate) _next = Math.Max(_head, sequence);
    }

    /// <summary>Counts one more refusal of a claimed entry by the broker.</summary>
    public void CountAttempt(long sequence)
    {
        lock (_gate)
        {
            if (sequence >= _head && At(sequence).Block is not null) At(sequence).Attempts++;
        }
    }

    /// <summary>Takes an entry out of the log for good and tells the ledger. Settling twice does nothing.</summary>
    public bool Settle(long sequence, Settlement settlement)
    {
        lock (_gate)
        {
            if (!Remove(sequence)) return false;

            ledger.Settled(place, settlement);
            return true;
        }
    }

    /// <summary>
    /// Another member of the group delivers what was appended before: every such entry leaves the log, claimed ones included; the messages of own gaps stay. One pass, whatever their number. Returns how
    /// many there were.
    /// </summary>
    /// <param name="before">The sequence of the first entry that stays.</param>
    /// <param name="runs">Only events of nodes with these run ids; null: all events.</param>
    public long HandOver(long before, IReadOnlyCollection<ulong>? runs = null)
    {
        lock (_gate)
        {
            var count = 0L;
            for (var sequence = _head; sequence < Math.Min(before, _tail); sequence++)
            {
                ref var slot = ref At(sequence);
                if (slot.Block is null || (runs is not null && !IsOf(slot, runs))) continue;

                if (IsOwnGap(slot))
                {
                    _next = Math.Min(_next, sequence); // it is sent when this program delivers again, also if it was sent before
                }
                else if (Take(ref slot))
                {
                    count++;
                }
            }

            AdvanceHead();
            ledger.HandedOver(place, count);
            return count;
        }
    }

    /// <summary>How many entries from <paramref name="first"/> on are settled without a break, at most up to <paramref name="last"/>.</summary>
    public long SettledFrom(long first, long last)
    {
        lock (_gate) return Math.Clamp(_head - first, 0, last - first + 1);
    }

    private bool Remove(long sequence)
    {
        if (sequence < _head || sequence >= _tail) return false;

        if (!Take(ref At(sequence))) return false;

        AdvanceHead();
        return true;
    }

    /// <summary>Whether it is the message of a gap that this program has declared, which no other member of the group has.</summary>
    private bool IsOwnGap(in Slot slot) => place == WaitingPlace.Memory && GapMessageId.Is(slot.Stored.Span[1..]);

    private static bool IsOf(in Slot slot, IReadOnlyCollection<ulong> runs) =>
        slot.HeadLength > 0 && EventMessageId.TryReadRun(slot.Stored.Span.Slice(1, slot.HeadLength), out var run) && runs.Contains(run);

    /// <summary>Empties a slot; false when it is empty already.</summary>
    private bool Take(ref Slot slot)
    {
        if (slot.Block is not { } block) return false;

        _live--;
        _bytes -= slot.Stored.Length + EntryOverhead;
        slot = default;
        _slab.Release(block);
        return true;
    }

    private void AdvanceHead()
    {
        while (_head < _tail && At(_head).Block is null) _head++;

        if (_next < _head) _next = _head;
    }

    private bool FindUnclaimed()
    {
        while (_next < _tail && At(_next).Block is null) _next++;

        return _next < _tail;
    }

    private void MakeRoom(int needed)
    {
        while (_bytes + needed > maxBytes && FindUnclaimed())
        {
            Remove(_next);
            ledger.Settled(place, Settlement.MemoryFull);
        }
    }

    private Memory<byte> Reserve(int length, int headLength, long unixMilliseconds)
    {
        if (_tail - _head == _ring.Length) Grow();

        var memory = _slab.Take(length, out var block);
        ref var slot = ref At(_tail++);
        slot.Block = block;
        slot.Stored = memory;
        slot.HeadLength = headLength;
        slot.Attempts = 0;
        slot.UnixMilliseconds = unixMilliseconds;
        _live++;
        _bytes += length + EntryOverhead;
        return memory;
    }

    private ref Slot At(long sequence) => ref _ring[sequence & (_ring.Length - 1)];

    private void Grow()
    {
        var larger = new Slot[_ring.Length * 2];
        for (var i = _head; i < _tail; i++) larger[i & (larger.Length - 1)] = At(i);

        _ring = larger;
    }
}
