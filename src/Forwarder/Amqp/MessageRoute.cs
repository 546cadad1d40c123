namespace KeyEvt.Forwarder.Amqp;

/// <summary>Where does a message go, and in which shape? Made once for a configuration.</summary>
/// <param name="RoutingKey">A template, see <see cref="RoutingKeyTemplate"/>.</param>
/// <param name="DeliveryMode">1 transient, 2 persistent.</param>
internal sealed record MessageRoute(string Exchange, string RoutingKey, int DeliveryMode, MessageFormat Format)
{
    /// <summary>Where events go that the broker refused too often.</summary>
    public MessageRoute Failed() => this with { RoutingKey = RoutingKey + ".failed" };

    public static MessageRoute Of(ForwarderConfig config) => new(config.Exchange, config.RoutingKey, config.DeliveryMode, config.Format);
}
