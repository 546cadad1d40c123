using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Link;

/// <summary>What is logged about the connection to the broker? Event ids 2100, 2101.</summary>
internal static partial class LinkLog
{
    [LoggerMessage(2100, LogLevel.Information, "connected to {Broker} (connection number {ConnectionNumber})")]
    public static partial void Connected(ILogger logger, string broker, int connectionNumber);

    [LoggerMessage(2101, LogLevel.Warning, "no link to the broker: {Reason}; next attempt in {DelayMilliseconds} ms ({Count} failures so far)")]
    public static partial void LinkDown(ILogger logger, string reason, int delayMilliseconds, long count);
}
