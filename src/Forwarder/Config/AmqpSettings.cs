using KeyEvt.Forwarder.Files;

namespace KeyEvt.Forwarder.Config;

/// <summary>How is the broker reached? A change of any of these values needs a new connection.</summary>
public sealed record AmqpSettings
{
    /// <summary>The user of a new RabbitMQ, and also its password. Everybody knows them.</summary>
    public const string Guest = "guest";

    public const int PlainPort = 5672;

    public const int TlsPort = 5671;

    public string Host { get; init; } = "127.0.0.1";

    /// <summary>1 to 65535.</summary>
    public int Port { get; init; } = PlainPort;

    public string User { get; init; } = Guest;

    public Secret Password { get; init; } = Guest;

    public string VirtualHost { get; init; } = "/";

    /// <summary>Heartbeat interval in seconds; 0 switches heartbeats off.</summary>
    public int HeartbeatSeconds { get; init; } = 30;

    public bool Tls { get; init; }

    public static bool IsSameHost(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether both are the same user at the same place, so that the password of one is the password of the other.</summary>
    public bool IsSameLogin(AmqpSettings other) =>
        IsSameHost(Host, other.Host) && Port == other.Port && VirtualHost == other.VirtualHost && User == other.User && Tls == other.Tls;

    /// <summary>The broker for people, without the password.</summary>
    public override string ToString() => $"{(Tls ? "amqps" : "amqp")}://{User}@{Host}:{Port}/{(VirtualHost == "/" ? "" : VirtualHost)}";
}
