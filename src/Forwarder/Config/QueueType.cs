using System.Text;

namespace KeyEvt.Forwarder.Config;

/// <summary>Which kind of queue is declared?</summary>
public enum QueueType
{
    Classic,

    /// <summary>Replicated, what RabbitMQ recommends; since 3.8.</summary>
    Quorum,

    /// <summary>A log that keeps what was read; since 3.9.</summary>
    Stream,
}

internal static class QueueTypes
{
    /// <summary>The broker's argument <c>x-queue-type</c>.</summary>
    public static string Text(this QueueType type) => type.ToString().ToLowerInvariant();

    /// <summary>For a queue that nobody has chosen a type for. Null: nothing is said, and the broker decides, as one does that is no RabbitMQ, or an old one.</summary>
    /// <param name="broker">What the broker says of itself (<c>server-properties</c>).</param>
    public static QueueType? DefaultFor(IDictionary<string, object?>? broker) =>
        Property(broker, "product") == "RabbitMQ" && Version.TryParse(Numbers(Property(broker, "version")), out var version) && version >= new Version(3, 8) ? QueueType.Quorum : null;

    private static string Property(IDictionary<string, object?>? broker, string name) =>
        broker is not null && broker.TryGetValue(name, out var value) && value is byte[] text ? Encoding.UTF8.GetString(text) : "";

    /// <summary>Of <c>4.1.0-rc.1+7</c> what a version number can hold.</summary>
    private static string Numbers(string version) => version.Split('-', '+')[0];
}
