using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder;

/// <summary>What does the forwarder as a whole say in the log? Event ids 2900 to 2999.</summary>
internal static partial class ForwarderLog
{
    [LoggerMessage(2902, LogLevel.Error, "{Part} has not ended within {Seconds} s, and is not waited for")]
    public static partial void PartOverdue(ILogger logger, string part, double seconds);
}
