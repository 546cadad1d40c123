using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Metrics;

/// <summary>Logs that metrics cannot be sent, at most once a minute, with the number of failures so far. Thread safe.</summary>
internal sealed class OtlpFailures(TimeProvider time, ILogger logger)
{
    private readonly RateLimiter _warnings = new(time, TimeSpan.FromMinutes(1));

    /// <summary>Incremented with Interlocked by any thread.</summary>
    private long _count;

    public void Failed(Uri? endpoint, string reason)
    {
        var count = Interlocked.Increment(ref _count);
        if (_warnings.TryTake()) MetricsLog.MetricsNotSent(logger, endpoint?.GetLeftPart(UriPartial.Path) ?? "", reason, count);
    }
}
