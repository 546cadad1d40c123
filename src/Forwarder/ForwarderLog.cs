using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder;

/// <summary>What does the forwarder as a whole say in the log? Event ids 2900 to 2999.</summary>
internal static partial class ForwarderLog
{
    [LoggerMessage(2900, LogLevel.Error, "{Name} failed by a fault of the program")]
    public static partial void BackgroundFailed(ILogger logger, string name, Exception error);

    [LoggerMessage(2901, LogLevel.Debug, "{Name}, given up before, has failed: {Reason}")]
    public static partial void GivenUpFailed(ILogger logger, string name, string reason);

    [LoggerMessage(2902, LogLevel.Error, "{Part} has not ended within {Seconds} s, and is not waited for")]
    public static partial void PartOverdue(ILogger logger, string part, double seconds);
}
