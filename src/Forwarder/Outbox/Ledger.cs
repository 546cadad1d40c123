namespace KeyEvt.Forwarder.Outbox;

/// <summary>
/// Where did every event go? received + adopted = filtered + confirmed + waiting in memory + waiting in fallback + handed over +
/// dropped by reason, at every moment: each method is one step that keeps the sum. Thread safe: all fields are read and written under the lock.
/// </summary>
public sealed class Ledger
{
    private readonly Lock _gate = new();
    private readonly long[] _dropped = new long[Enum.GetValues<DropReason>().Length];
    private long _received;
    private long _adopted;
    private long _filtered;
    private long _confirmed;
    private long _waitingMemory;
    private long _waitingFallback;
    private long _handedOver;

    internal void Filtered()
    {
        lock (_gate)
        {
            _received++;
            _filtered++;
        }
    }

    internal void Accepted()
    {
        lock (_gate)
        {
            _received++;
            _waitingMemory++;
        }
    }

    internal void RefusedWhileDisconnected()
    {
        lock (_gate)
        {
            _received++;
            _dropped[(int)DropReason.Disconnected]++;
        }
    }

    internal void Settled(WaitingPlace from, Settlement settlement)
    {
        lock (_gate)
        {
            if (from == WaitingPlace.Memory) _waitingMemory--;
            else _waitingFallback--;

            switch (settlement)
            {
                case Settlement.Confirmed: _confirmed++; break;
                case Settlement.Stored: _waitingFallback++; break;
                case Settlement.HandedOver: _handedOver++; break;
                default: _dropped[(int)ReasonOf(settlement)]++; break;
            }
        }
    }

    /// <summary>Events found in the fallback storage that this program did not put there.</summary>
    internal void Adopted(long count)
    {
        lock (_gate)
        {
            _adopted += count;
            _waitingFallback += count;
        }
    }

    /// <summary>Events that left the fallback storage without having been sent.</summary>
    internal void DroppedFromFallback(DropReason reason, long count)
    {
        lock (_gate)
        {
            _waitingFallback -= count;
            _dropped[(int)reason] += count;
        }
    }

    /// <summary>Events that wait there, and that another member of the group delivers from now on.</summary>
    internal void HandedOver(WaitingPlace from, long count)
    {
        lock (_gate)
        {
            if (from == WaitingPlace.Memory) _waitingMemory -= count;
            else _waitingFallback -= count;

            _handedOver += count;
        }
    }

    /// <summary>The same for events that are in the fallback storage only.</summary>
    internal void HandedOverFromFallback(long count) => HandedOver(WaitingPlace.Fallback, count);

    /// <summary>Events adopted so far.</summary>
    internal long AdoptedSoFar
    {
        get
        {
            lock (_gate) return _adopted;
        }
    }

    public long Dropped(DropReason reason)
    {
        lock (_gate) return _dropped[(int)reason];
    }

    public LedgerSnapshot Snapshot()
    {
        lock (_gate)
        {
            return new LedgerSnapshot(_received, _adopted, _filtered, _confirmed, _waitingMemory, _waitingFallback, _handedOver, [.. _dropped]);
        }
    }

    private static DropReason ReasonOf(Settlement settlement) => settlement switch
    {
        Settlement.Unroutable => DropReason.Unroutable,
        Settlement.DeadLettered => DropReason.DeadLettered,
        Settlement.TooLarge => DropReason.TooLarge,
        Settlement.MemoryFull => DropReason.MemoryFull,
        Settlement.Shutdown => DropReason.Shutdown,
        _ => throw new ArgumentOutOfRangeException(nameof(settlement), settlement, null),
    };
}
