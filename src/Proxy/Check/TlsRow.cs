using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Proxy.Check;

/// <summary>What does the check report about a TLS connection that was opened?</summary>
internal static class TlsRow
{
    public const string Name = "TLS";

    /// <summary>How long before its expiry a certificate causes a warning, since renewing one takes people a while.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    public static CheckRow Of(SslStream secure, TlsFileNames files, DateTimeOffset now)
    {
        var certificate = (X509Certificate2)secure.RemoteCertificate!; // never null: without a certificate there is no connection
        var protocol = secure.SslProtocol.ToString().Replace("Tls1", "TLS 1.", StringComparison.Ordinal);
        var finding = $"{protocol}, certificate valid until {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}, trusted by {files.Ca ?? "this system's authorities"}";
        return certificate.NotAfter - now < Soon
            ? new CheckRow(CheckOutcome.Warning, Name, finding, "the certificate expires soon: renew it there")
            : new CheckRow(CheckOutcome.Works, Name, finding);
    }
}
