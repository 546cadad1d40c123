namespace KeyEvt.Proxy.Session;

/// <summary>
/// The same deadline for many that begin at different times. Why not a timer for each: what begins within a fiftieth of the deadline shares one, so that thousands of
/// sessions a second make some timers a second; a token comes late by that fiftieth at most, and never early. Thread safe.
/// </summary>
internal sealed class SharedDeadline(TimeSpan after, TimeProvider time)
{
    private readonly TimeSpan _step = after / 50;
    private readonly Lock _gate = new();
    private CancellationTokenSource? _latest; // given up, not disposed of, when the next one is made: others still wait for it
    private long _madeAt;

    /// <summary>Cancelled when whoever begins now has had its time.</summary>
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
