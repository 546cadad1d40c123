using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Metrics;

/// <summary>Says in the log that metrics cannot be sent: once a minute at most, with how often it has failed so far. Thread safe.</summary>
internal sealed class OtlpFailures(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long? _warnedAt;
    private long _count;

    public void Failed(Uri? endpoint, string reason)
    {
        long count;
        lock (_gate)
        {
            count = ++_count;
            if (_warnedAt is { } last && time.GetElapsedTime(last) < WarnEvery) return;
            _warnedAt = time.GetTimestamp();
        }

        HostLog.MetricsNotSent(logger, endpoint?.GetLeftPart(UriPartial.Path) ?? "", reason, count);
    }
}
