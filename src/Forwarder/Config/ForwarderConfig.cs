using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Files;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Forwarder.Config;

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

    /// <summary>Of which type it must be; null: as it is there, or else as the broker's version recommends.</summary>
    public QueueType? DeclareQueueType { get; init; }

    /// <summary>Brokers that a command may name besides the one in force.</summary>
    public IReadOnlyList<AllowedBroker> AmqpHosts { get; init; } = [];

    /// <summary>The broker that the program was started with: the only place its password is for. Null: there was none.</summary>
    public AmqpSettings? Configured { get; init; }

    /// <summary>
    /// The password for a login that is named without one: that in force if it is the very same login, or the configured one if it is the configured login. Every other login
    /// gets none, so that no command can make the program send a password to where it does not belong.
    /// </summary>
    public Secret PasswordFor(AmqpSettings login) =>
        login.IsSameLogin(Amqp) ? Amqp.Password
        : Configured is { } configured && login.IsSameLogin(configured) ? configured.Password
        : Secret.None;

    /// <summary>Whether a link to the broker that was opened with the other configuration serves this one as well.</summary>
    internal bool HasLinkOf(ForwarderConfig? other) => other is not null && other.Amqp == Amqp && other.DeclareQueue == DeclareQueue && other.Exchange == Exchange
        && (DeclareQueue is null || other.RoutingKey == RoutingKey);
}
