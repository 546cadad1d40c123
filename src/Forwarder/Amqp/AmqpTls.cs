using System.Net.Security;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Tls;
using RabbitMQ.Client;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// What does the broker library need for one attempt to connect by <c>amqps://</c>, and why did that attempt fail? As strict as
/// <see cref="TlsClient"/>.
/// </summary>
public sealed class AmqpTls(TlsClient tls, AmqpSettings settings)
{
    /// <summary>Written by the certificate callback of the handshake; read after the attempt has ended.</summary>
    private string? _refusal;

    /// <summary>The TLS options for the library's connection factory; not enabled for <c>amqp://</c>.</summary>
    public SslOption Option => new()
    {
        Enabled = settings.Tls,
        ServerName = settings.Host,
        Version = TlsClient.Protocols,
        AcceptablePolicyErrors = SslPolicyErrors.None,
        ClientCertificateContext = tls.Own,
        CertificateValidationCallback = (_, certificate, chain, errors) => tls.Judge(certificate, chain, errors, settings.Host, text => _refusal = text),
    };

    /// <summary>The TLS reason why the attempt failed; null if it failed for another reason.</summary>
    public string? Explain(Exception error) => settings.Tls ? _refusal ?? HandshakeFault.Describe(error, tls.Files) : null;
}
