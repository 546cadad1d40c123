using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Forwarder;

/// <summary>What is forwarded, and where to? One instance is one consistent configuration; a change makes a new one.</summary>
public sealed record ForwarderConfig
{
    public AmqpSettings Amqp { get; init; } = new();

    public string Exchange { get; init; } = "amq.direct";

    /// <summary>May hold the parts {db}, {event}, {class} and {key}.</summary>
    public string RoutingKey { get; init; } = "redis_keyspace_events";

    /// <summary>The shape of the messages.</summary>
    public MessageFormat Format { get; init; }

    /// <summary>1 transient, 2 persistent.</summary>
    public int DeliveryMode { get; init; } = 1;

    /// <summary>Events; 0 unlimited, negative off.</summary>
    public long FallbackStorageSize { get; init; } = 10_000_000;

    public KeyMaskSet Masks { get; init; } = KeyMaskSet.Empty;

    /// <summary>Besides the masks: events of a class and database whose key matches.</summary>
    public RuleSet Rules { get; init; } = RuleSet.Empty;

    public EventClass Events { get; init; } = EventClass.Expired | EventClass.Evicted;

    /// <summary>A durable queue to declare and bind at each connect, or null.</summary>
    public string? DeclareQueue { get; init; }

    /// <summary>Hosts that a command may name besides the configured one; "*" for any.</summary>
    public IReadOnlyList<string> AmqpHosts { get; init; } = [];

    /// <summary>Whether a link to the broker that was opened with the other configuration serves this one as well.</summary>
    internal bool HasLinkOf(ForwarderConfig? other) => other is not null && other.Amqp == Amqp && other.DeclareQueue == DeclareQueue && other.Exchange == Exchange
        && (DeclareQueue is null || other.RoutingKey == RoutingKey);
}
