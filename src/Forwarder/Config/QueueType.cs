using System.Text;

namespace KeyEvt.Forwarder.Config;

/// <summary>Which kind of queue is declared?</summary>
public enum QueueType
{
    Classic,

    /// <summary>A replicated queue, which RabbitMQ recommends; since 3.8.</summary>
    Quorum,

    /// <summary>A log that keeps messages that were read; since 3.9.</summary>
    Stream,
}

internal static class QueueTypes
{
    /// <summary>The value of the broker's argument <c>x-queue-type</c>.</summary>
    public static string Text(this QueueType type) => type.ToString().ToLowerInvariant();

    /// <summary>
    /// The type of a queue for which the user has chosen none. Null: no type is requested and the broker decides, if it is not RabbitMQ or is older
    /// than 3.8.
    /// </summary>
    /// <param name="broker">What the broker says of itself (<c>server-properties</c>).</param>
    public static QueueType? DefaultFor(IDictionary<string, object?>? broker) =>
        Property(broker, "product") == "RabbitMQ" && Version.TryParse(Numbers(Property(broker, "version")), out var version) && version >= new Version(3, 8) ? QueueType.Quorum : null;

    private static string Property(IDictionary<string, object?>? broker, string name) =>
        broker is not null && broker.TryGetValue(name, out var value) && value is byte[] text ? Encoding.UTF8.GetString(text) : "";

    /// <summary>The part of a version such as <c>4.1.0-rc.1+7</c> that <see cref="Version"/> can parse.</summary>
    private static string Numbers(string version) => version.Split('-', '+')[0];
}
