using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Tls;

/// <summary>What is wrong with the certificate of the other side, and what should be done about it?</summary>
public static class CertificateFault
{
    private const X509ChainStatusFlags Untrusted = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain;

    /// <param name="host">The name by which it was connected to.</param>
    /// <param name="now">When the certificate was checked.</param>
    public static string Describe(X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors, string host, TlsFileNames files, DateTimeOffset now)
    {
        if (shown is not X509Certificate2 certificate) return "no certificate is shown there";
        var faults = new List<string>();
        var flags = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status) ?? X509ChainStatusFlags.NoError;
        if (flags.HasFlag(X509ChainStatusFlags.NotTimeValid)) faults.Add(DescribeTime(chain!, now));
        if ((flags & Untrusted) != 0)
        {
            var trusted = files.Ca is { } ca ? $"which the authorities in {files.Option}-ca ({ca}) do not vouch for: put its authority's certificate there" : $"which no authority of this system vouches for: name its authority's certificate in {files.Option}-ca";
            faults.Add($"the certificate was issued by '{Short(certificate.Issuer)}', {trusted}");
        }
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            faults.Add($"the certificate is for {Names(certificate)}, not for '{host}': connect by a name it is for, or let it be issued for this one too");
        }

        foreach (var status in chain?.ChainStatus.Where(status => (status.Status & (Untrusted | X509ChainStatusFlags.NotTimeValid)) == 0) ?? [])
        {
            faults.Add($"the certificate is not good: {CleanText.Server(status.StatusInformation)} ({status.Status})");
        }

        return faults.Count > 0 ? string.Join("; ", faults) : $"the certificate is refused: {errors}";
    }

    /// <summary>Returns "expired on ..." or "is not valid before ..." for a certificate; null if it is valid at this time.</summary>
    internal static string? DescribeTime(X509Certificate2 certificate, DateTimeOffset now)
    {
        if (certificate.NotAfter < now) return $"expired on {Day(certificate.NotAfter)}";
        return certificate.NotBefore > now ? $"is not valid before {Day(certificate.NotBefore)}" : null;
    }

    private static string DescribeTime(X509Chain chain, DateTimeOffset now)
    {
        foreach (var element in chain.ChainElements)
        {
            var certificate = element.Certificate;
            var whose = element == chain.ChainElements[0] ? "the certificate" : $"the certificate of its authority '{Short(certificate.Subject)}'";
            if (DescribeTime(certificate, now) is { } fault)
            {
                return $"{whose} {fault}: {(certificate.NotAfter < now ? "renew it there" : "check the clocks")}";
            }
        }
        return "the certificate is not valid at this time";
    }

    private static string Names(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        string[] all = names is null ? [] : [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(address => address.ToString())];
        return all.Length > 0 ? string.Join(", ", all.Take(8).Select(name => $"'{Short(name)}'")) : $"'{Short(certificate.Subject)}', without a list of names";
    }

    private static string Day(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static string Short(string text) => CleanText.Server(text.Length > 100 ? text[..100] + "..." : text);
}
