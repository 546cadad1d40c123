using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Metrics;

/// <summary>Says in the log that metrics cannot be sent: once a minute at most, with how often it has failed so far. Thread safe.</summary>
internal sealed class OtlpFailures(TimeProvider time, ILogger logger)
{
    private readonly RateLimiter _warnings = new(time, TimeSpan.FromMinutes(1));
    private long _count;

    public void Failed(Uri? endpoint, string reason)
    {
        var count = Interlocked.Increment(ref _count);
        if (_warnings.TryTake()) MetricsLog.MetricsNotSent(logger, endpoint?.GetLeftPart(UriPartial.Path) ?? "", reason, count);
    }
}
