using System.Net.Security;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>How are TLS connections of clients taken? TLS 1.2 or newer, with the certificate read last.</summary>
internal sealed class TlsServer(TlsSource source, ClientCertificates clients)
{
    /// <exception cref="TlsFailedException">With the reason.</exception>
    public async Task<SslStream> SecureAsync(Stream plain, CancellationToken cancellationToken)
    {
        string? refusal = null;
        var secure = new SslStream(plain);
        try
        {
            await secure.AuthenticateAsServerAsync(Options(text => refusal = text), cancellationToken).ConfigureAwait(false);
            return secure;
        }
        catch (Exception e)
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException) throw;
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
            CertificateChainPolicy = material.NewPolicy(),
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (errors == SslPolicyErrors.None) return true;
                if (certificate is null && clients != ClientCertificates.Yes) return true;
                refused(certificate is null ? "it shows no certificate" : CertificateFault.Describe(certificate, chain, errors, "", material.Files));
                return false;
            },
        };
    }
}
