using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace KeyEvt.Forwarder.Tls;

/// <summary>
/// How are TLS connections to one side opened? With TLS 1.2 or newer, and with a certificate that is trusted, valid now, and issued for the name by
/// which it was connected to. No option and no caller can skip any of these checks.
/// </summary>
public sealed class TlsClient(ReloadableTls source)
{
    public const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>A client that trusts the system's authorities and shows no certificate.</summary>
    public static TlsClient OfSystem(string option) => new(new ReloadableTls(new TlsFileNames(option), TimeProvider.System));

    public TlsFileNames Files => source.Current.Files;

    /// <summary>Performs the handshake. Takes over the stream, also if it fails.</summary>
    /// <exception cref="TlsFailedException">The handshake failed or was cancelled. The text gives the reason and the remedy.</exception>
    public async Task<SslStream> SecureAsync(Stream plain, string host, CancellationToken cancellationToken)
    {
        string? refusal = null;
        var secure = new SslStream(plain);
        try
        {
            await secure.AuthenticateAsClientAsync(OptionsFor(host, text => refusal = text), cancellationToken).ConfigureAwait(false);
            return secure;
        }
        catch (Exception e)
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            // A Redis without TLS takes the first message for an incomplete line of text, and waits for the rest.
            if (e is OperationCanceledException)
            {
                throw new TlsFailedException("there is no answer to the TLS handshake in time: is it the port without TLS?", e);
            }

            if (e is not (AuthenticationException or IOException)) throw;
            throw new TlsFailedException(refusal ?? HandshakeFault.Describe(e, Files) ?? e.Message, e);
        }
    }

    /// <summary>The options for a library that performs the handshake itself.</summary>
    /// <param name="refused">Called with the reason if the other side's certificate is not accepted.</param>
    public SslClientAuthenticationOptions OptionsFor(string host, Action<string> refused)
    {
        var material = source.Current;
        return new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = Protocols,
            CertificateChainPolicy = material.NewPolicy(source.Time),
            ClientCertificateContext = material.Own,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Accepts(certificate, chain, errors, host, refused),
        };
    }

    /// <summary>
    /// The certificate to show, for a library that cannot take the rest of <see cref="OptionsFor"/>. Use it together with <see cref="Judge"/>.
    /// </summary>
    public SslStreamCertificateContext? Own => source.Current.Own;

    /// <summary>For a library that checks by the system's authorities only: checks the certificate again, by the configured authorities.</summary>
    public bool Judge(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, string host, Action<string> refused)
    {
        using var again = new X509Chain { ChainPolicy = source.Current.NewPolicy(source.Time) };
        again.ChainPolicy.ApplicationPolicy.Add(new(ServerAuthentication));
        foreach (var element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            again.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        foreach (var extra in chain?.ChainPolicy.ExtraStore ?? []) again.ChainPolicy.ExtraStore.Add(extra);
        var isGood = certificate is X509Certificate2 shown && again.Build(shown);
        errors = (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) | (isGood ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateChainErrors);
        return Accepts(certificate, again, errors, host, refused);
    }

    private bool Accepts(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, string host, Action<string> refused)
    {
        if (errors == SslPolicyErrors.None) return true;
        refused(CertificateFault.Describe(certificate, chain, errors, host, Files, source.Time.GetUtcNow()));
        return false;
    }
}
