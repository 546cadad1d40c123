using KeyEvt.Forwarder.Tls;
using KeyEvt.Proxy.Transport.Tls;

namespace KeyEvt.Proxy.Options;

/// <summary>
/// Do the TLS options fit together, and can their files be used? A file that would not be used is a fault, since whoever names one believes that TLS is used.
/// </summary>
internal static class TlsFaults
{
    public static IEnumerable<string> Of(ProxyOptions options)
    {
        var tls = options.Tls;
        var listens = options.Server.Listen.Any(address => address.IsTls);
        var clients = tls.Clients;
        if (!listens && (!tls.Listen.IsEmpty || clients is not null))
        {
            yield return "--tls-cert, --tls-key, --tls-ca and --tls-auth-clients need an address with TLS: --listen rediss://host:port";
        }

        if (listens && tls.Listen is not { Certificate: not null, Key: not null })
        {
            yield return "--listen rediss:// needs --tls-cert and --tls-key";
        }

        if (clients is ClientCertificates.Yes or ClientCertificates.Optional && tls.Listen.Ca is null)
        {
            yield return $"--tls-auth-clients {clients.ToString()!.ToLowerInvariant()} needs --tls-ca: whom would a certificate be judged by?";
        }

        if (!options.Forwarder.Upstream.IsTls && !tls.Upstream.IsEmpty)
        {
            yield return "--upstream-ca, --upstream-cert and --upstream-key need --upstream rediss://";
        }

        if (!options.Forwarder.Initial.Amqp.Tls && !tls.Amqp.IsEmpty)
        {
            yield return "--amqp-ca, --amqp-cert and --amqp-key need --amqp amqps://";
        }

        foreach (var files in (TlsFileNames[])[tls.Listen, tls.Upstream, tls.Amqp])
        {
            if (((files.Certificate is null) != (files.Key is null)) && !(listens && files == tls.Listen))
            {
                yield return $"{files.Option}-cert and {files.Option}-key go together: one of them is missing";
            }
            else if (Load(files) is { } fault)
            {
                yield return fault;
            }
        }
    }

    private static string? Load(TlsFileNames files)
    {
        try
        {
            TlsMaterial.Load(files);
            return null;
        }
        catch (TlsFileException e)
        {
            return e.Message;
        }
    }
}
