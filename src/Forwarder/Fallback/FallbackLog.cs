using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Fallback;

/// <summary>What does the fallback storage's connection say in the log? Event ids 2300 to 2399.</summary>
internal static partial class FallbackLog
{
    [LoggerMessage(2300, LogLevel.Warning, "the connection for the fallback storage is lost: {Reason}")]
    public static partial void Disconnected(ILogger logger, string reason);

    [LoggerMessage(2301, LogLevel.Information, "the connection for the fallback storage is back")]
    public static partial void Connected(ILogger logger);

    [LoggerMessage(2302, LogLevel.Warning, "the spool file {File} is damaged: {Bytes} bytes behind its last whole record are left out; a file that a crash left half written looks like this too")]
    public static partial void SpoolDamaged(ILogger logger, string file, long bytes);

    [LoggerMessage(2303, LogLevel.Warning, "how far the spool has been read could not be written ({Reason}): should the program end now, what was sent since is sent again, with equal ids")]
    public static partial void SpoolHeadNotWritten(ILogger logger, string reason);

    [LoggerMessage(2304, LogLevel.Warning, "no connection for the fallback storage: {Reason}")]
    public static partial void Refused(ILogger logger, string reason);

    [LoggerMessage(2305, LogLevel.Information, "the fallback storage is at {Place} now; {Count} events that had been stored at {Old}, and had not got there, were stored again")]
    public static partial void Moved(ILogger logger, string place, string old, int count);

    [LoggerMessage(2306, LogLevel.Warning, "{Files} files in the spool's folder {Folder} were removed or replaced while the program runs: {Count} events that were in them are lost; the folder must belong to this program alone")]
    public static partial void SpoolFilesRemoved(ILogger logger, int files, string folder, long count);

    [LoggerMessage(2307, LogLevel.Warning, "the spool's folder {Folder} has the rights {Mode}: others than its owner may look into it, or remove files; chmod 700 takes them away")]
    public static partial void SpoolIsOpen(ILogger logger, string folder, string mode);
}
