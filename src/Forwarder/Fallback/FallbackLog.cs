using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Fallback;

/// <summary>What does the fallback storage's connection say in the log? Event ids 2300 to 2399.</summary>
internal static partial class FallbackLog
{
    [LoggerMessage(2300, LogLevel.Warning, "the connection for the fallback storage is lost: {Reason}")]
    public static partial void Disconnected(ILogger logger, string reason);

    [LoggerMessage(2301, LogLevel.Information, "the connection for the fallback storage is back")]
    public static partial void Connected(ILogger logger);

    [LoggerMessage(2302, LogLevel.Warning, "no connection for the fallback storage: {Reason}")]
    public static partial void Refused(ILogger logger, string reason);
}
