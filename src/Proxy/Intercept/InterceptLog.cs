using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Intercept;

/// <summary>What is logged about intercepted commands? Event id 1203.</summary>
internal static partial class InterceptLog
{
    [LoggerMessage(1203, LogLevel.Error, "Command {Command} failed by a fault of the proxy")]
    public static partial void CommandFault(ILogger logger, string command, Exception exception);
}
