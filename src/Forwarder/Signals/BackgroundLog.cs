using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Signals;

/// <summary>What is logged about tasks that nobody awaits? Event ids 2900, 2901.</summary>
internal static partial class BackgroundLog
{
    [LoggerMessage(2900, LogLevel.Error, "{Name} failed by a fault of the program")]
    public static partial void BackgroundFailed(ILogger logger, string name, Exception error);

    [LoggerMessage(2901, LogLevel.Debug, "{Name}, given up before, has failed: {Reason}")]
    public static partial void GivenUpFailed(ILogger logger, string name, string reason);
}
