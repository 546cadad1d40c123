namespace KeyEvt.Forwarder.Amqp;

/// <summary>Where does a message go, and in which shape? Made once for a configuration.</summary>
/// <param name="RoutingKey">A template, see <see cref="RoutingKeyTemplate"/>.</param>
/// <param name="DeliveryMode">1 transient, 2 persistent.</param>
internal sealed record MessageRoute(string Exchange, string RoutingKey, int DeliveryMode, MessageFormat Format)
{
    /// <summary>Where events go that the broker refused too often.</summary>
    public MessageRoute Failed() => this with { RoutingKey = RoutingKey + ".failed" };

    /// <summary>Where a gap is told: its body is JSON already, and its key has no event to fill a template from.</summary>
    public MessageRoute Gap() => this with { RoutingKey = RoutingKey + ".gap", IsGap = true };

    public bool IsGap { get; private init; }

    public static MessageRoute Of(ForwarderConfig config) => new(config.Exchange, config.RoutingKey, config.DeliveryMode, config.Format);
}
