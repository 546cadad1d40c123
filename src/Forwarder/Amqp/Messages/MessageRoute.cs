using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>Where does a message go, and in which shape? Made once for a configuration; used by the delivery loop only.</summary>
internal sealed class MessageRoute
{
    private MessageRoute(ForwarderConfig config, string template, string suffix, bool isGap, RoutingKeyCuts cuts)
    {
        (Exchange, DeliveryMode, Format, IsGap) = (config.Exchange, config.DeliveryMode, config.Format, isGap);
        RoutingKey = template + suffix;
        Keys = new RoutingKeyTemplate(template, suffix, cuts);
    }

    public string Exchange { get; }

    /// <summary>For people: a template, see <see cref="RoutingKeyTemplate"/>.</summary>
    public string RoutingKey { get; }

    public RoutingKeyTemplate Keys { get; }

    /// <summary>The routing key that the event would get. Only a look: a cut is not counted.</summary>
    public string KeyOf(in LogEntry entry) => IsGap ? Keys.Peek(default) : Keys.Peek(entry.Body.Span, entry.Class);

    /// <summary>1 transient, 2 persistent.</summary>
    public int DeliveryMode { get; }

    public MessageFormat Format { get; }

    /// <summary>The body is JSON already.</summary>
    public bool IsGap { get; }

    public static MessageRoute Of(ForwarderConfig config, RoutingKeyCuts cuts) => new(config, config.RoutingKey, "", isGap: false, cuts);

    /// <summary>Where events go that the broker refused too often.</summary>
    public static MessageRoute ForFailed(ForwarderConfig config, RoutingKeyCuts cuts) => new(config, config.RoutingKey, ".failed", isGap: false, cuts);

    /// <summary>Where a gap is told.</summary>
    public static MessageRoute ForGaps(ForwarderConfig config, RoutingKeyCuts cuts)
    {
        var rest = BeforeGap(config.RoutingKey);
        return new(config, rest, rest.Length == 0 ? "gap" : ".gap", isGap: true, cuts);
    }

    /// <summary><c>&lt;routing key&gt;.gap</c>; a gap has no event, so what stands for something of the event is left out: <c>redis.gap</c> for <c>redis.{db}.{event}</c>.</summary>
    public static string GapKey(string routingKey) => BeforeGap(routingKey) is { Length: > 0 } rest ? rest + ".gap" : "gap";

    private static string BeforeGap(string routingKey) => RoutingKeyParts.IsTemplate(routingKey) ? RoutingKeyParts.WithoutParts(routingKey) : routingKey;
}
