// How does a test speak to a Redis port over TLS?
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KeyEvt.Servers;

/// <summary>Makes the <see cref="RespClient"/> of a TLS port.</summary>
public static class SecureRespClient
{
    /// <summary>Over TLS, trusting only this authority; shows a certificate if it is given one.</summary>
    public static async Task<RespClient> ConnectAsync(int port, X509Certificate2 authority, TestCertificate? shown = null, string host = "localhost")
    {
        var plain = await RespClient.ConnectAsync(port).ConfigureAwait(false);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
        var options = new SslClientAuthenticationOptions { TargetHost = host, CertificateChainPolicy = policy };
        if (shown is not null)
        {
            options.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(shown.CertificatePem, shown.KeyPem), null, offline: true);
        }

        var secure = new SslStream(plain.Stream);
        try
        {
            using var limit = new CancellationTokenSource(RespClient.DefaultDeadline);
            await secure.AuthenticateAsClientAsync(options, limit.Token).ConfigureAwait(false);
            return new RespClient(plain.Socket, secure);
        }
        catch
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
