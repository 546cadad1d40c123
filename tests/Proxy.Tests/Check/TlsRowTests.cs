using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Proxy.Check;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Proxy.Tests.Check;

/// <summary>Does the check say in time that a certificate is about to expire?</summary>
public sealed class TlsRowTests
{
    [Fact]
    public async Task A_certificate_that_expires_within_14_days_is_a_warning_and_a_younger_one_works()
    {
        using var authority = new TestAuthority();
        var issued = authority.Issue("localhost");
        using var certificate = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        using var accepted = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await using var server = new SslStream(accepted.GetStream());
        var serving = server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) }, TestContext.Current.CancellationToken);
        var trusting = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trusting.CustomTrustStore.Add(authority.Certificate);
        await using var secure = new SslStream(client.GetStream());
        await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = trusting }, TestContext.Current.CancellationToken);
        await serving;

        var end = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
        var files = new TlsFileNames("--upstream") { Ca = "ca.pem" };
        Assert.Equal(CheckOutcome.Works, TlsRow.Of(secure, files, end - TimeSpan.FromDays(15)).Outcome);
        var late = TlsRow.Of(secure, files, end - TimeSpan.FromDays(13));
        Assert.Equal((CheckOutcome.Warning, "the certificate expires soon: renew it there"), (late.Outcome, late.Remedy));
        Assert.EndsWith($"certificate valid until {end:yyyy-MM-dd}, trusted by ca.pem", late.Finding, StringComparison.Ordinal);
    }
}
