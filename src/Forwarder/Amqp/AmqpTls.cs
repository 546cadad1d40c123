using System.Net.Security;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Tls;
using RabbitMQ.Client;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>One attempt to reach the broker by <c>amqps://</c>: what does the library need to know, and why did it fail? As strict as <see cref="TlsClient"/>.</summary>
public sealed class AmqpTls(TlsClient tls, AmqpSettings settings)
{
    private string? _refusal;

    /// <summary>For the library's factory; not enabled for <c>amqp://</c>.</summary>
    public SslOption Option => new()
    {
        Enabled = settings.Tls,
        ServerName = settings.Host,
        Version = TlsClient.Protocols,
        AcceptablePolicyErrors = SslPolicyErrors.None,
        ClientCertificateContext = tls.Own,
        CertificateValidationCallback = (_, certificate, chain, errors) => tls.Judge(certificate, chain, errors, settings.Host, text => _refusal = text),
    };

    /// <summary>Null when TLS is not why it failed.</summary>
    public string? Explain(Exception error) => settings.Tls ? _refusal ?? HandshakeFault.Describe(error, tls.Files) : null;
}
