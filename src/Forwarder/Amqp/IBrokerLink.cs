using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// One connection to the broker, with one channel in confirm mode. Delivery tags count from 1 in the order of the calls of
/// <see cref="PublishAsync"/>. A link that has failed once is never used again.
/// </summary>
internal interface IBrokerLink
{
    /// <summary>Publishes one event. When it returns, the library has copied the bytes. Throws when the link is broken.</summary>
    /// <param name="route">Exchange, routing key and format of the message.</param>
    /// <param name="messageId">The message id, by which <see cref="ILinkEvents.Returned"/> names the message.</param>
    ValueTask PublishAsync(in LogEntry entry, MessageRoute route, ReadOnlyMemory<byte> messageId);

    /// <summary>Closes the connection properly within the deadline. Never throws.</summary>
    Task CloseAsync(TimeSpan deadline);

    /// <summary>Stops using the link at once. The connection is closed in the background, within a deadline.</summary>
    void Abandon();
}

/// <summary>Opens links.</summary>
internal interface IBrokerConnector
{
    /// <summary>Opens one link. Throws <see cref="LinkException"/>.</summary>
    /// <param name="connectionNumber">Passed to each event of the link, so that a late event of an earlier link can be recognised.</param>
    Task<IBrokerLink> ConnectAsync(ForwarderConfig config, int connectionNumber, ILinkEvents events, CancellationToken deadline);
}

/// <summary>Receives the events of a link. Called from any thread, in the order in which the broker sent them.</summary>
internal interface ILinkEvents
{
    void Confirmed(int connectionNumber, ulong deliveryTag, bool multiple, bool refused);

    /// <summary>The broker returned the message, because no queue is bound for it. Its confirm follows.</summary>
    void Returned(int connectionNumber, string? messageId, string reason);

    /// <summary>The broker has an alarm and accepts no messages. A null reason means that the alarm is over.</summary>
    void Blocked(int connectionNumber, string? reason);

    void Closed(int connectionNumber, LinkFailureKind kind, string reason);
}
