using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Files;
using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Files;
using KeyEvt.Proxy.Server;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Options;

/// <summary>
/// How is this run of the program to behave? One record for each part of the program. All options, read and checked, with defaults filled in. Immutable.
/// </summary>
internal sealed record ProxyOptions
{
    public ProxyServerOptions Server { get; init; } = new();

    public ForwarderOptions Forwarder { get; init; } = new();

    public AdminOptions Admin { get; init; } = new();

    public TransportOptions Transport { get; init; } = new();

    public SocketSettings Sockets { get; init; } = new();

    public TlsOptions Tls { get; init; } = new();

    /// <summary>When all options are read, these are also in the addresses of <see cref="Forwarder"/>.</summary>
    public LoginOptions Logins { get; init; } = new();

    public LogLevel LogLevel { get; init; }

    /// <summary>All secrets that come from files, and so can be read again.</summary>
    public IEnumerable<Secret> Secrets =>
        ((Secret?[])[Logins.AmqpPassword, Logins.UpstreamPassword, Logins.SentinelPassword, Admin.Token]).OfType<Secret>().Where(secret => secret.File is not null);

    /// <summary>All files that the options name.</summary>
    public IReadOnlyList<NamedFile> Files { get; init; } = [];

    /// <summary>Replaces the record's own text, which would show passwords.</summary>
    public override string ToString() => $"{nameof(ProxyOptions)} {Forwarder.Upstream} -> {Forwarder.Initial.Amqp}";
}
