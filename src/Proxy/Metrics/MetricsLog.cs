using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Metrics;

/// <summary>What is logged about sending metrics? Event id 3014.</summary>
internal static partial class MetricsLog
{
    [LoggerMessage(3014, LogLevel.Warning, "Metrics cannot be sent to {Endpoint}: {Reason}; {Failures} failures so far. More of these within a minute are not logged")]
    public static partial void MetricsNotSent(ILogger logger, string endpoint, string reason, long failures);
}
