using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder.Delivery.Publishing;

/// <summary>Where do events, events sent on as failed, and gaps go under one configuration?</summary>
internal sealed class PublisherRoutes(ForwarderConfig config, RoutingKeyCutCounter cuts)
{
    /// <summary>The configuration that the routes were made from.</summary>
    public ForwarderConfig Of => config;

    public MessageRoute Events { get; } = MessageRoute.Of(config, cuts);

    public MessageRoute Failed { get; } = MessageRoute.ForFailed(config, cuts);

    public MessageRoute Gaps { get; } = MessageRoute.ForGaps(config, cuts);
}
