using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Transport;

/// <summary>What is logged about connections that never become sessions? Event id 1013.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(1013, LogLevel.Error, "Ending the connection of a refused client failed by a fault of the proxy")]
    public static partial void EndFault(ILogger logger, Exception exception);
}
