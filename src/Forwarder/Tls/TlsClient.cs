using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace KeyEvt.Forwarder.Tls;

/// <summary>
/// How are TLS connections to one side opened? TLS 1.2 or newer, with a certificate that is trusted, valid now, and for the name it was
/// connected by. There is no way round any of that: no option, and no caller, can leave the check out.
/// </summary>
public sealed class TlsClient(TlsSource source)
{
    public const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Trusts the system's authorities and shows no certificate.</summary>
    public static TlsClient OfSystem(string option) => new(new TlsSource(new TlsFiles(option), TimeProvider.System));

    public TlsFiles Files => source.Current.Files;

    /// <summary>Takes over the stream, also when it fails.</summary>
    /// <exception cref="TlsFailedException">With the reason and what to do; also when it was cancelled.</exception>
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
            // A Redis without TLS takes the first message for half a line of text, and waits for the rest.
            if (e is OperationCanceledException)
            {
                throw new TlsFailedException("there is no answer to the TLS handshake in time: is it the port without TLS?", e);
            }

            if (e is not (AuthenticationException or IOException)) throw;
            throw new TlsFailedException(refusal ?? HandshakeFault.Describe(e, Files) ?? e.Message, e);
        }
    }

    /// <summary>For libraries that do the handshake themselves.</summary>
    /// <param name="refused">Told why the other side's certificate is not accepted.</param>
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

    /// <summary>What to show, for a library that has no place for the rest of <see cref="OptionsFor"/>; use it together with <see cref="Judge"/>.</summary>
    public SslStreamCertificateContext? Own => source.Current.Own;

    /// <summary>For a library that judges by the system's authorities alone: judges again, by those that count.</summary>
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
