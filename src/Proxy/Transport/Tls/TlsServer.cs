using System.Net.Security;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>How are TLS connections of clients accepted? TLS 1.2 or newer, with the certificate that was read last.</summary>
internal sealed class TlsServer(ReloadableTls source, ClientCertificates clients)
{
    /// <summary>Makes the handshake. Takes over the stream, also when the handshake fails. To give up early, close what is below the stream.</summary>
    /// <exception cref="TlsFailedException">The handshake failed; the message is the reason.</exception>
    public async Task<SslStream> SecureAsync(Stream plain)
    {
        string? refusal = null;
        var secure = new SslStream(plain);
        try
        {
            await secure.AuthenticateAsServerAsync(Options(text => refusal = text)).ConfigureAwait(false);
            return secure;
        }
        catch (Exception e)
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw new TlsFailedException(refusal ?? e.GetBaseException().Message, e);
        }
    }

    private SslServerAuthenticationOptions Options(Action<string> refused)
    {
        var material = source.Current;
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = material.Own,
            EnabledSslProtocols = TlsClient.Protocols,
            ClientCertificateRequired = clients != ClientCertificates.No,
            CertificateChainPolicy = material.NewPolicy(source.Time),
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (errors == SslPolicyErrors.None) return true;
                if (certificate is null && clients != ClientCertificates.Yes) return true;
                refused(certificate is null ? "it shows no certificate" : CertificateFault.Describe(certificate, chain, errors, "", material.Files, source.Time.GetUtcNow()));
                return false;
            },
        };
    }
}
