using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>Which files is the TLS of the three sides made of: clients, Redis and RabbitMQ?</summary>
internal sealed record TlsOptions
{
    /// <summary>For <c>--listen rediss://</c>.</summary>
    public TlsFileNames Listen { get; init; } = new("--tls");

    /// <summary>Whether clients must show a certificate; null: they must if --tls-ca is given.</summary>
    public ClientCertificates? Clients { get; init; }

    /// <summary>For <c>--upstream rediss://</c>.</summary>
    public TlsFileNames Upstream { get; init; } = new("--upstream");

    /// <summary>For <c>--amqp amqps://</c>.</summary>
    public TlsFileNames Amqp { get; init; } = new("--amqp");
}
