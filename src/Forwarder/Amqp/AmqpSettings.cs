namespace KeyEvt.Forwarder.Amqp;

/// <summary>How is the broker reached? A change of any of these needs a new connection.</summary>
public sealed record AmqpSettings
{
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>1 to 65535.</summary>
    public int Port { get; init; } = 5672;

    public string User { get; init; } = "guest";

    public string Password { get; init; } = "guest";

    public string VirtualHost { get; init; } = "/";

    /// <summary>Seconds; 0 switches heartbeats off.</summary>
    public int HeartbeatSeconds { get; init; } = 30;

    public bool Tls { get; init; }

    /// <summary>For people: never the password.</summary>
    public override string ToString() => $"{(Tls ? "amqps" : "amqp")}://{User}@{Host}:{Port}/{(VirtualHost == "/" ? "" : VirtualHost)}";
}
