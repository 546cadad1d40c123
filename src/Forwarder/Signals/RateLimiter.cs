namespace KeyEvt.Forwarder.Signals;

/// <summary>Lets something happen at most once in an interval: a warning, or a hint that many callers give at once. Thread safe.</summary>
public sealed class RateLimiter(TimeProvider time, TimeSpan interval)
{
    private readonly Lock _gate = new();
    private long? _takenAt;

    /// <summary>Returns true if it may happen now. It may then not happen again before the interval is over.</summary>
    public bool TryTake()
    {
        lock (_gate)
        {
            if (_takenAt is { } last && time.GetElapsedTime(last) < interval) return false;
            _takenAt = time.GetTimestamp();
            return true;
        }
    }
}
