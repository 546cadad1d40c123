using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>What does the broker link say in the log? Event ids 2200 to 2299.</summary>
internal static partial class AmqpLog
{
    [LoggerMessage(2200, LogLevel.Error, "a callback of the broker library failed")]
    public static partial void CallbackFailed(ILogger logger, Exception error);
}
