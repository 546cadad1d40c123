using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KeyEvt.Forwarder.Tls;

/// <summary>
/// What was read from the files of one side: which authorities to trust, and which certificate to show? Immutable; connections keep what they began
/// with.
/// </summary>
public sealed class TlsMaterial
{
    private TlsMaterial(TlsFileNames files, X509Certificate2Collection? authorities, SslStreamCertificateContext? own) => (Files, Authorities, Own) = (files, authorities, own);

    public TlsFileNames Files { get; }

    /// <summary>The only authorities to trust; null to trust those of the system.</summary>
    public X509Certificate2Collection? Authorities { get; }

    /// <summary>Certificate, key and intermediates to show; null to show none.</summary>
    public SslStreamCertificateContext? Own { get; }

    /// <exception cref="TlsFileException">A file cannot be used.</exception>
    public static TlsMaterial Load(TlsFileNames files) => new(
        files,
        files.Ca is { } ca ? LoadAuthorities(files.Option + "-ca", ca) : null,
        files is { Certificate: { } certificate, Key: { } key } ? LoadOwn(files.Option, certificate, key) : null);

    /// <summary>
    /// The policy for checking the other side's certificate. Nothing is fetched over the network: no addresses in a stranger's certificate, and no
    /// revocation lists.
    /// </summary>
    public X509ChainPolicy NewPolicy(TimeProvider time)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true, VerificationTime = time.GetLocalNow().LocalDateTime };
        if (Authorities is null) return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(Authorities);
        return policy;
    }

    /// <summary>Why the other side will refuse <see cref="Own"/> because of its dates; null if it is valid now.</summary>
    public string? OwnFault(DateTimeOffset now)
    {
        if (Own?.TargetCertificate is not { } certificate || CertificateFault.DescribeTime(certificate, now) is not { } fault) return null;
        return $"{Files.Option}-cert names the file '{Files.Certificate}', whose certificate {fault}";
    }

    private static X509Certificate2Collection LoadAuthorities(string option, string path)
    {
        var authorities = ReadCertificates(option, path, ReadText(option, path));
        return authorities.Count > 0 ? authorities : throw new TlsFileException($"{option} names the file '{path}', which holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
    }

    private static SslStreamCertificateContext LoadOwn(string option, string certificatePath, string keyPath)
    {
        var text = ReadText(option + "-cert", certificatePath);
        var all = ReadCertificates(option + "-cert", certificatePath, text);
        if (all.Count == 0)
        {
            throw new TlsFileException($"{option}-cert names the file '{certificatePath}', which holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
        }

        var key = ReadText(option + "-key", keyPath);
        if (key.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal) || key.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
        {
            throw new TlsFileException($"{option}-key names the file '{keyPath}', whose key is encrypted: store it decrypted (openssl pkey -in ... -out ...), readable by this user alone");
        }

        try
        {
            var certificate = X509Certificate2.CreateFromPem(text, key);
            all.RemoveAt(0);
            return SslStreamCertificateContext.Create(certificate, all, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new TlsFileException($"{option}-key names the file '{keyPath}', which is not the private key (PEM) of the first certificate in '{certificatePath}'", e);
        }
    }

    private static X509Certificate2Collection ReadCertificates(string option, string path, string text)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
            return certificates;
        }
        catch (CryptographicException e)
        {
            throw new TlsFileException($"{option} names the file '{path}', which holds a certificate that cannot be read", e);
        }
    }

    private static string ReadText(string option, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var why = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "there is no such file",
                UnauthorizedAccessException => "access is denied",
                _ => e.Message,
            };
            throw new TlsFileException($"{option} names the file '{path}', which cannot be read: {why}", e);
        }
    }
}
