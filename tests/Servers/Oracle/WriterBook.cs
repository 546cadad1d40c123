namespace KeyEvt.Servers.Oracle;

/// <summary>What became of the writes of one writer, numbered from 0? Written by the writer, the consumer and the watch. Thread safe.</summary>
internal sealed class WriterBook
{
    private readonly Lock _gate = new();
    private readonly List<int> _firstArrivals = [];
    private WriteRecord[] _records = new WriteRecord[1024];
    private int _count;
    private int _acknowledged;

    public int Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>The writes so far.</summary>
    public WriteRecord[] Records
    {
        get
        {
            lock (_gate) return _records[.._count];
        }
    }

    /// <summary>Numbers in the order in which they first arrived.</summary>
    public int[] FirstArrivals
    {
        get
        {
            lock (_gate) return [.. _firstArrivals];
        }
    }

    /// <summary>So many writes are about to be sent; the number of the first.</summary>
    public int Attempt(int count)
    {
        var now = Now;
        lock (_gate)
        {
            if (_count + count > _records.Length) Array.Resize(ref _records, Math.Max(_records.Length * 2, _count + count));
            for (var n = _count; n < _count + count; n++) _records[n] = new WriteRecord { SentAt = now };
            _count += count;
            return _count - count;
        }
    }

    public void Answered(int number, bool isOk)
    {
        var now = Now;
        lock (_gate)
        {
            if (isOk) _records[number].AcknowledgedAt = now;
            else _records[number].IsRefused = true;
            _acknowledged += isOk ? 1 : 0;
        }
    }

    public void Stored(int number)
    {
        lock (_gate)
        {
            if (number < _count) _records[number].WasStored = true;
        }
    }

    /// <summary>True for a first arrival; null when it was never written.</summary>
    public bool? Arrived(int number, string? messageId)
    {
        var id = Hash(messageId);
        lock (_gate)
        {
            if (number >= _count) return null;
            ref var record = ref _records[number];
            record.HasOtherId |= record.Arrivals > 0 && record.MessageId != id;
            record.MessageId = id;
            if (++record.Arrivals > 1) return false;
            _firstArrivals.Add(number);
            return true;
        }
    }

    private static long Now => TimeProvider.System.GetUtcNow().UtcTicks;

    /// <summary>FNV-1a.</summary>
    private static ulong Hash(string? text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text ?? "") hash = (hash ^ c) * 1099511628211UL;
        return hash;
    }
}
