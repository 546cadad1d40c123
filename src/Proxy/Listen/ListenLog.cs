using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Listen;

/// <summary>What is logged about listening and accepting? Event ids 1000 to 1011.</summary>
internal static partial class ListenLog
{
    [LoggerMessage(1000, LogLevel.Information, "Listening on {Address}")]
    public static partial void Listening(ILogger logger, string address);

    [LoggerMessage(1001, LogLevel.Warning, "Accepting on {Address} pauses: {Reason}. It goes on when resources are back ({Pauses} pauses so far)")]
    public static partial void AcceptPaused(ILogger logger, string address, string reason, long pauses);

    [LoggerMessage(1002, LogLevel.Information, "Accepting on {Address} goes on")]
    public static partial void AcceptResumed(ILogger logger, string address);

    [LoggerMessage(1003, LogLevel.Critical, "Accepting on {Address} has failed for good")]
    public static partial void AcceptFailed(ILogger logger, string address, Exception exception);

    [LoggerMessage(1004, LogLevel.Debug, "A client of {Address} was gone before it was accepted: {Reason}")]
    public static partial void AcceptMissed(ILogger logger, string address, string reason);

    [LoggerMessage(1005, LogLevel.Information, "Stopped accepting; {Sessions} sessions to end")]
    public static partial void Stopping(ILogger logger, int sessions);

    [LoggerMessage(1006, LogLevel.Warning, "{Sessions} sessions did not end in time and were cut")]
    public static partial void StopCut(ILogger logger, int sessions);

    [LoggerMessage(1009, LogLevel.Warning, "{Limit} clients are connected, as many as --max-clients allows: further ones are refused")]
    public static partial void ClientsRefused(ILogger logger, int limit);

    [LoggerMessage(1010, LogLevel.Warning, "--max-clients {Wanted} needs {Needed} open files, but this process may have {Allowed}: it is lowered to {Limit}; raise the limit of open files (ulimit -n, LimitNOFILE)")]
    public static partial void MaxClientsLowered(ILogger logger, int wanted, long needed, long allowed, int limit);

    [LoggerMessage(1011, LogLevel.Error, "{Sessions} sessions did not end though both their connections were cut; they are not waited for")]
    public static partial void SessionsHang(ILogger logger, int sessions);
}
