using System.Globalization;

namespace KeyEvt.Forwarder.Config;

/// <summary>Which brokers does one entry of <c>--amqp-hosts</c> allow commands to name?</summary>
/// <param name="Host">Without brackets; <c>*</c> for any broker.</param>
/// <param name="Port">Null for AMQP's default ports and the port of the configured broker.</param>
public sealed record AllowedBroker(string Host, int? Port = null)
{
    /// <summary>Allows every host and every port.</summary>
    public static AllowedBroker Any { get; } = new("*");

    /// <param name="configuredPort">The port of the broker that the program was started with.</param>
    public bool Allows(string host, int port, int? configuredPort) =>
        Host == "*" || (AmqpSettings.IsSameHost(Host, host) && (Port is { } only ? port == only : port is AmqpSettings.PlainPort or AmqpSettings.TlsPort || port == configuredPort));

    /// <summary>The entry as it is written in the option.</summary>
    public override string ToString() => Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"{(Host.Contains(':') ? $"[{Host}]" : Host)}:{port}") : Host;
}
