using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>What does the log say about the configuration of a group? Event ids 2500 to 2599.</summary>
internal static partial class AgreementLog
{
    [LoggerMessage(2500, LogLevel.Information, "version {Version} of the group's configuration is in force, by {By}")]
    public static partial void InForce(ILogger logger, long version, string by);

    [LoggerMessage(2501, LogLevel.Warning, "the group's configuration came from the options {Theirs}, and this program was started with the options {Own}; it brings its own in as a new version")]
    public static partial void OtherOptions(ILogger logger, string theirs, string own);

    [LoggerMessage(2502, LogLevel.Warning, "the group's configuration cannot be kept in Redis: {Fault}")]
    public static partial void StoreFails(ILogger logger, string fault);

    [LoggerMessage(2503, LogLevel.Error, "what Redis keeps as the group's configuration cannot be read, and is replaced: it was not written by a member with the same secret, or is damaged")]
    public static partial void KeptUnreadable(ILogger logger);

    [LoggerMessage(2504, LogLevel.Error, "version {Version} of the group's configuration cannot be read; this program goes on with version {Own}, and keeps no events for the group until it has another")]
    public static partial void Unreadable(ILogger logger, long version, long own);

    [LoggerMessage(2505, LogLevel.Warning, "nobody has told version {Version} of the group's configuration for {Seconds} s; this program brings in what it has")]
    public static partial void NobodyKnows(ILogger logger, long version, double seconds);

    [LoggerMessage(2507, LogLevel.Warning, "what this program wants of the group's configuration is not in force: {Fault}")]
    public static partial void NotInForce(ILogger logger, string fault);

    [LoggerMessage(2506, LogLevel.Error, "the loop that keeps the group's configuration has died of a fault in the program")]
    public static partial void LoopDied(ILogger logger, Exception fault);
}
