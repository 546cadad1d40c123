using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Files;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Forwarder.Config;

/// <summary>What is forwarded, and where to? One instance is one consistent configuration; a change creates a new one. Immutable.</summary>
public sealed record ForwarderConfig
{
    public AmqpSettings Amqp { get; init; } = new();

    public string Exchange { get; init; } = "amq.direct";

    /// <summary>The routing key; may contain the parts {db}, {event}, {class} and {key}.</summary>
    public string RoutingKey { get; init; } = "redis_keyspace_events";

    /// <summary>The format of the messages.</summary>
    public MessageFormat Format { get; init; }

    /// <summary>1 transient, 2 persistent.</summary>
    public int DeliveryMode { get; init; } = 1;

    /// <summary>Maximum number of events in the fallback storage; 0: unlimited, negative: switched off.</summary>
    public long FallbackStorageSize { get; init; } = 10_000_000;

    public KeyMaskSet Masks { get; init; } = KeyMaskSet.Empty;

    /// <summary>Events that are wanted in addition to the masks: of a class and database, with keys that match.</summary>
    public RuleSet Rules { get; init; } = RuleSet.Empty;

    public EventClass Events { get; init; } = EventClass.Expired | EventClass.Evicted;

    /// <summary>A durable queue to declare and bind at each connect, or null.</summary>
    public string? DeclareQueue { get; init; }

    /// <summary>
    /// The required type of that queue. Null: an existing queue is used as it is, and a new one gets the type that fits the broker's version.
    /// </summary>
    public QueueType? DeclareQueueType { get; init; }

    /// <summary>Whether <c>disconnect</c> was given. Events are then neither sent nor stored.</summary>
    public bool IsStopped { get; init; }

    /// <summary>Brokers that a command may name in addition to the one in force.</summary>
    public IReadOnlyList<AllowedBroker> AmqpHosts { get; init; } = [];

    /// <summary>The broker that the program was started with, and to which alone its password belongs. Null if there was none.</summary>
    public AmqpSettings? Configured { get; init; }

    /// <summary>The classes that feeds must deliver; None while no key could match.</summary>
    internal EventClass Wanted => (Masks.Equals(KeyMaskSet.Empty) ? EventClass.None : Events) | Rules.Events;

    /// <summary>Whether a link to the broker is needed: for events that may come, or to declare a queue.</summary>
    internal bool NeedsLink => Wanted != EventClass.None || DeclareQueue is not null;

    /// <summary>
    /// The password for a login that a command names without one. If the login equals the one in force, its password; if it equals the configured
    /// one, the configured password. Any other login gets none, so that no command can make the program send a password to a place where it does not
    /// belong.
    /// </summary>
    public Secret PasswordFor(AmqpSettings login) =>
        login.IsSameLogin(Amqp) ? Amqp.Password
        : Configured is { } configured && login.IsSameLogin(configured) ? configured.Password
        : Secret.None;

    /// <summary>Whether a broker link that was opened with the other configuration can serve this one too.</summary>
    internal bool HasLinkOf(ForwarderConfig? other) => other is not null && other.Amqp == Amqp && other.DeclareQueue == DeclareQueue && other.Exchange == Exchange
        && (DeclareQueue is null || other.RoutingKey == RoutingKey);
}
