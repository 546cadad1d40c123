namespace KeyEvt.Proxy.Session;

/// <summary>
/// One deadline length, shared by many that begin at different times. Whatever begins within a fiftieth of the deadline shares one timer. Why not a timer for
/// each: with thousands of sessions a second there are only a few timers a second. A token is cancelled late by that fiftieth at most, and never early. Thread
/// safe.
/// </summary>
internal sealed class SharedDeadline(TimeSpan after, TimeProvider time)
{
    private readonly TimeSpan _step = after / 50;
    private readonly Lock _gate = new();

    /// <summary>
    /// Guarded by the gate, as <see cref="_madeAt"/> is. When the next source is made, this one is dropped without being disposed of: others may still wait for
    /// its token.
    /// </summary>
    private CancellationTokenSource? _latest;
    private long _madeAt;

    /// <summary>A token that is cancelled when the deadline has passed for somebody who begins at this moment.</summary>
    public CancellationToken Begin()
    {
        lock (_gate)
        {
            if (_latest is null || time.GetElapsedTime(_madeAt) >= _step)
            {
                _madeAt = time.GetTimestamp();
                _latest = new CancellationTokenSource(after + _step, time);
            }

            return _latest.Token;
        }
    }
}
