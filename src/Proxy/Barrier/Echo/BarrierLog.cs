using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>What is logged about learning how the upstream names an unknown command? Event ids 1200 to 1202.</summary>
internal static partial class BarrierLog
{
    [LoggerMessage(1200, LogLevel.Information, "Upstream {Upstream} echoes unknown commands: key_evt_amqp commands are answered here")]
    public static partial void InterceptionOn(ILogger logger, TransportAddress upstream);

    [LoggerMessage(1201, LogLevel.Warning, "Upstream {Upstream} does not name an unknown command in its error, so the place of a reply cannot be found: key_evt_amqp commands are refused; asked again at the next one")]
    public static partial void InterceptionOff(ILogger logger, TransportAddress upstream);

    [LoggerMessage(1202, LogLevel.Debug, "Upstream {Upstream} could not be asked how it answers unknown commands: {Reason}; asked again at the next key_evt_amqp command")]
    public static partial void ProbeFailed(ILogger logger, TransportAddress upstream, string reason);
}
