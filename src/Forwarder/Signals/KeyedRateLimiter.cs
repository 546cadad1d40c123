namespace KeyEvt.Forwarder.Signals;

/// <summary>A <see cref="RateLimiter"/> for each of a few keys, such as the nodes of a cluster. Keys are never removed. Thread safe.</summary>
public sealed class KeyedRateLimiter<TKey>(TimeProvider time, TimeSpan interval)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, RateLimiter> _limiters = [];

    /// <inheritdoc cref="RateLimiter.TryTake"/>
    public bool TryTake(TKey key)
    {
        lock (_gate)
        {
            if (!_limiters.TryGetValue(key, out var limiter)) _limiters[key] = limiter = new RateLimiter(time, interval);
            return limiter.TryTake();
        }
    }
}
