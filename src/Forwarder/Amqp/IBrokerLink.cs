using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// One connection to the broker, with one channel that confirms. Delivery tags count from 1 in the order of
/// <see cref="PublishAsync"/>. A link that has failed once is never used again.
/// </summary>
internal interface IBrokerLink
{
    /// <summary>Hands one event to the broker library; when it returns, the bytes have been copied. Throws when the link is broken.</summary>
    /// <param name="route">Exchange, routing key and shape of the message.</param>
    /// <param name="messageId">The id that a return would name.</param>
    ValueTask PublishAsync(in LogEntry entry, MessageRoute route, ReadOnlyMemory<byte> messageId);

    /// <summary>Closes in good order, within the deadline; never throws.</summary>
    Task CloseAsync(TimeSpan deadline);

    /// <summary>Gives the link up at once; what is left of it dies in the background within bounds.</summary>
    void Abandon();
}

/// <summary>Opens links.</summary>
internal interface IBrokerConnector
{
    /// <summary>Opens one link; throws <see cref="LinkException"/>.</summary>
    /// <param name="connectionNumber">Each event of the link carries it, so that a late one of an earlier link is known as such.</param>
    Task<IBrokerLink> ConnectAsync(ForwarderConfig config, int connectionNumber, ILinkEvents events, CancellationToken deadline);
}

/// <summary>What a link tells, from any thread, in the broker's order.</summary>
internal interface ILinkEvents
{
    void Confirmed(int connectionNumber, ulong deliveryTag, bool multiple, bool refused);

    /// <summary>No queue took the message; its confirm follows.</summary>
    void Returned(int connectionNumber, string? messageId, string reason);

    /// <summary>The broker has an alarm and takes nothing; null when it is over.</summary>
    void Blocked(int connectionNumber, string? reason);

    void Closed(int connectionNumber, LinkFailureKind kind, string reason);
}
