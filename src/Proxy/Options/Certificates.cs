using KeyEvt.Forwarder.Tls;
using KeyEvt.Proxy.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Options;

/// <summary>Which certificates does this run use towards clients, Redis and RabbitMQ? They are read at the start, and again at SIGHUP.</summary>
internal sealed class Certificates
{
    private readonly ReloadableTls _listen;
    private readonly ReloadableTls _upstream;
    private readonly ReloadableTls _amqp;

    /// <exception cref="TlsFileException">A file cannot be used.</exception>
    public Certificates(TlsOptions options, TimeProvider time)
    {
        (_listen, _upstream, _amqp) = (new ReloadableTls(options.Listen, time), new ReloadableTls(options.Upstream, time), new ReloadableTls(options.Amqp, time));
        (Upstream, Amqp) = (new TlsClient(_upstream), new TlsClient(_amqp));
        if (_listen.Current.Own is null) return;
        Clients = new TlsServer(_listen, options.Clients ?? (options.Listen.Ca is null ? ClientCertificates.No : ClientCertificates.Yes));
    }

    public TlsClient Upstream { get; }

    public TlsClient Amqp { get; }

    /// <summary>Null when no address is listened on with TLS.</summary>
    public TlsServer? Clients { get; }

    private ReloadableTls[] Sources => [_listen, _upstream, _amqp];

    /// <summary>Warns of certificates that the other side will refuse. That is no reason not to start, since other addresses may work without TLS.</summary>
    public void WarnOfInvalid(ILogger logger)
    {
        foreach (var source in Sources)
        {
            if (source.Current.OwnFault(source.Time.GetUtcNow()) is { } fault) ReloadLog.CertificateInvalid(logger, fault);
        }
    }

    /// <summary>Reads the files again, for new connections. If the files of one side cannot be used, that side keeps the certificates it has.</summary>
    public void Reload(ILogger logger)
    {
        foreach (var source in Sources)
        {
            var files = source.Current.Files;
            if (files.IsEmpty) continue;
            try
            {
                source.Reload();
                ReloadLog.CertificatesReloaded(logger, files.Option, Validity(source.Current));
            }
            catch (TlsFileException e)
            {
                ReloadLog.CertificatesKept(logger, e.Message);
            }
        }
    }

    private static string Validity(TlsMaterial material) =>
        material.Own?.TargetCertificate is { } certificate ? $"{certificate.Subject}, valid until {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC" : "authorities only";
}
