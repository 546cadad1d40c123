using System.Globalization;

namespace KeyEvt.Forwarder.Config;

/// <summary>Which brokers does one entry of <c>--amqp-hosts</c> let commands name?</summary>
/// <param name="Host">Without brackets; <c>*</c> for any broker.</param>
/// <param name="Port">Null: the ports that AMQP has by itself, and the one of the configured broker.</param>
public sealed record AllowedBroker(string Host, int? Port = null)
{
    /// <summary>Every host and every port.</summary>
    public static AllowedBroker Any { get; } = new("*");

    /// <param name="configuredPort">Of the broker that the program was started with.</param>
    public bool Allows(string host, int port, int? configuredPort) =>
        Host == "*" || (AmqpSettings.IsSameHost(Host, host) && (Port is { } only ? port == only : port is AmqpSettings.PlainPort or AmqpSettings.TlsPort || port == configuredPort));

    /// <summary>As it is written in the option.</summary>
    public override string ToString() => Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"{(Host.Contains(':') ? $"[{Host}]" : Host)}:{port}") : Host;
}
