using KeyEvt.Forwarder.Config;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>What does delivery say in the log? Event ids 2100 to 2199.</summary>
internal static partial class DeliveryLog
{
    [LoggerMessage(2102, LogLevel.Information, "delivery goes from {Old} to {New}: {Reason}")]
    public static partial void StateChanged(ILogger logger, DeliveryState old, DeliveryState @new, string reason);

    [LoggerMessage(2103, LogLevel.Warning, "the broker takes nothing at the moment: {Reason}; events are stored until it does")]
    public static partial void Blocked(ILogger logger, string reason);

    [LoggerMessage(2104, LogLevel.Information, "the broker takes messages again")]
    public static partial void Unblocked(ILogger logger);

    [LoggerMessage(2105, LogLevel.Warning, "no queue is bound to exchange '{Exchange}' with routing key '{RoutingKey}': events came back {Count} times so far ({Policy}); bind a queue, or start with --declare-queue")]
    public static partial void Unroutable(ILogger logger, string exchange, string routingKey, long count, string policy);

    [LoggerMessage(2106, LogLevel.Warning, "the broker refused events {Count} times so far (nack); they are tried again. A queue with x-max-length and reject-publish does this when it is full")]
    public static partial void Refused(ILogger logger, long count);

    [LoggerMessage(2107, LogLevel.Warning, "memory for waiting events is full ({MaxBytes} bytes): {Count} dropped so far, oldest first")]
    public static partial void MemoryFull(ILogger logger, long maxBytes, long count);

    [LoggerMessage(2109, LogLevel.Warning, "the fallback storage has lost {Count} events so far (evicted, flushed, trimmed by others, or a restart without persistence)")]
    public static partial void StoreLost(ILogger logger, long count);

    [LoggerMessage(2110, LogLevel.Warning, "the fallback storage is at its cap: {Count} events dropped so far, oldest first")]
    public static partial void StoreCapped(ILogger logger, long count);

    [LoggerMessage(2111, LogLevel.Information, "{Count} events so far were found in the fallback storage, where an earlier run or somebody else left them; they will be sent")]
    public static partial void StoreAdopted(ILogger logger, long count);

    [LoggerMessage(2112, LogLevel.Critical, "the delivery loop has ended with an error")]
    public static partial void LoopDied(ILogger logger, Exception error);

    [LoggerMessage(2113, LogLevel.Warning, "{Count} events could not be placed anywhere before the end")]
    public static partial void LeftBehind(ILogger logger, long count);

    [LoggerMessage(2114, LogLevel.Warning, "{Count} events so far were refused {Attempts} times each and sent on with routing key '{RoutingKey}'")]
    public static partial void DeadLettered(ILogger logger, long count, int attempts, string routingKey);

    [LoggerMessage(2116, LogLevel.Warning, "{Count} events so far were dropped because the broker takes no messages of their size; raise its max_message_size")]
    public static partial void TooLarge(ILogger logger, long count);

    [LoggerMessage(2115, LogLevel.Warning, "routing keys made of '{RoutingKey}' were longer than AMQP's 255 bytes and were cut, {Count} so far; name less of the event in it, such as {{class}} instead of {{key}}")]
    public static partial void RoutingKeyCut(ILogger logger, string routingKey, long count);

    [LoggerMessage(2119, LogLevel.Warning, "no queue is bound to exchange '{Exchange}' with routing key '{RoutingKey}', and the broker has routed nothing on this connection: {Count} events wait until it does, whatever --unroutable says; bind a queue, or start with --declare-queue")]
    public static partial void QueueMissing(ILogger logger, string exchange, string routingKey, long count);

    [LoggerMessage(2121, LogLevel.Information, "this member of the group delivers from now on (term {Term})")]
    public static partial void Holds(ILogger logger, long term);

    [LoggerMessage(2122, LogLevel.Information, "another member of the group delivers from now on; {Count} events in memory are left to it")]
    public static partial void HandedOver(ILogger logger, long count);

    [LoggerMessage(2120, LogLevel.Information, "exchange '{Exchange}' has a queue again; {Count} events wait to be sent")]
    public static partial void QueueFound(ILogger logger, string exchange, long count);
}
