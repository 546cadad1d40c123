using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>What does the broker link say in the log? Event ids 2200 to 2299.</summary>
internal static partial class AmqpLog
{
    [LoggerMessage(2200, LogLevel.Error, "a callback of the broker library failed")]
    public static partial void CallbackFailed(ILogger logger, Exception error);

    [LoggerMessage(2201, LogLevel.Warning, "whether exchange '{Exchange}' is of type topic is not told to this user (no permission to configure it); queue '{Queue}' is bound with '{BindingKey}', which gets events from a topic exchange only")]
    public static partial void ExchangeTypeUnknown(ILogger logger, string exchange, string queue, string bindingKey);
}
