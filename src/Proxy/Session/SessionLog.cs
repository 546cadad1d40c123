using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Session;

/// <summary>What is logged about sessions and their upstream connections? Event ids 1100 to 1103, 1112, 1113, 1204.</summary>
internal static partial class SessionLog
{
    [LoggerMessage(1100, LogLevel.Debug, "Session {Id} of {Client} begins")]
    public static partial void SessionBegins(ILogger logger, long id, string client);

    [LoggerMessage(1101, LogLevel.Debug, "Session {Id} ends: {Reason}")]
    public static partial void SessionEnds(ILogger logger, long id, SessionEndReason reason);

    [LoggerMessage(1102, LogLevel.Error, "Session {Id} ends by a fault of the proxy")]
    public static partial void SessionFault(ILogger logger, long id, Exception exception);

    [LoggerMessage(1103, LogLevel.Debug, "Session {Id}: upstream {Upstream} cannot be reached: {Reason}")]
    public static partial void UpstreamUnreachable(ILogger logger, long id, string upstream, string reason);

    [LoggerMessage(1112, LogLevel.Warning, "Clients are refused (their connections are reset), as upstream {Upstream} cannot be reached: {Reason}; {Refused} so far. The same within 10 seconds is logged at level debug")]
    public static partial void ClientsReset(ILogger logger, string upstream, string reason, long refused);

    [LoggerMessage(1113, LogLevel.Information, "Upstream {Upstream} is reached again; {Refused} clients were refused meanwhile")]
    public static partial void UpstreamReached(ILogger logger, string upstream, long refused);

    [LoggerMessage(1204, LogLevel.Debug, "Session {Id}: asks on its own connection how the upstream answers unknown commands")]
    public static partial void AsksHere(ILogger logger, long id);
}
