using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>
/// To which exchange and routing key does a message go, and in which format? Created once for each configuration. Used by the delivery loop only.
/// </summary>
internal sealed class MessageRoute
{
    private MessageRoute(ForwarderConfig config, string template, string suffix, bool isGap, RoutingKeyCutCounter cuts)
    {
        (Exchange, DeliveryMode, Format, IsGap) = (config.Exchange, config.DeliveryMode, config.Format, isGap);
        RoutingKey = template + suffix;
        Keys = new RoutingKeyTemplate(template, suffix, cuts);
    }

    public string Exchange { get; }

    /// <summary>The template as text, for messages to people; see <see cref="RoutingKeyTemplate"/>.</summary>
    public string RoutingKey { get; }

    public RoutingKeyTemplate Keys { get; }

    /// <summary>The routing key that the event would get. A key that is cut is not counted here.</summary>
    public string KeyOf(in LogEntry entry) => IsGap ? Keys.Peek(default) : Keys.Peek(entry.Body.Span, entry.Class);

    /// <summary>1 transient, 2 persistent.</summary>
    public int DeliveryMode { get; }

    public MessageFormat Format { get; }

    /// <summary>Whether this is the route for gap messages. Their body is already JSON.</summary>
    public bool IsGap { get; }

    public static MessageRoute Of(ForwarderConfig config, RoutingKeyCutCounter cuts) => new(config, config.RoutingKey, "", isGap: false, cuts);

    /// <summary>The route for events that the broker refused too often.</summary>
    public static MessageRoute ForFailed(ForwarderConfig config, RoutingKeyCutCounter cuts) => new(config, config.RoutingKey, ".failed", isGap: false, cuts);

    /// <summary>The route for messages about gaps.</summary>
    public static MessageRoute ForGaps(ForwarderConfig config, RoutingKeyCutCounter cuts)
    {
        var rest = BeforeGap(config.RoutingKey);
        return new(config, rest, rest.Length == 0 ? "gap" : ".gap", isGap: true, cuts);
    }

    /// <summary>
    /// The routing key of gap messages: <c>&lt;routing key&gt;.gap</c>. A gap has no event, so the parts that stand for something of the event are
    /// left out: <c>redis.gap</c> for <c>redis.{db}.{event}</c>.
    /// </summary>
    public static string GapKey(string routingKey) => BeforeGap(routingKey) is { Length: > 0 } rest ? rest + ".gap" : "gap";

    private static string BeforeGap(string routingKey) => RoutingKeyParts.IsTemplate(routingKey) ? RoutingKeyParts.WithoutParts(routingKey) : routingKey;
}
