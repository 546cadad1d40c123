using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Files;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Files;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Options;

/// <summary>How is this run of the program to behave? All options, read and checked, with defaults filled in. Immutable.</summary>
internal sealed record ProxyOptions
{
    /// <summary>Where clients connect to.</summary>
    public IReadOnlyList<TransportAddress> Listen { get; init; } = [];

    public UpstreamAddress Upstream { get; init; } = null!; // null only until the option's default is applied, before anybody reads it

    /// <summary>The address of the first node that was named, without the login.</summary>
    public TransportAddress UpstreamPlace => TransportAddress.Of(Upstream.Seeds[0]);

    /// <summary>What is forwarded and where to, as it is at the start.</summary>
    public ForwarderConfig Forwarding { get; init; } = new();

    public NotifyMode NotifyMode { get; init; }

    /// <summary>How long requests wait, at most, until a node's events are heard; zero: they do not wait.</summary>
    public TimeSpan CoverageWait { get; init; }

    /// <summary>Where the admin pages (health, metrics) are served; null: they are off.</summary>
    public TransportAddress? Admin { get; init; }

    /// <summary>The token that a request for most of the admin pages must show; null: none.</summary>
    public Secret? AdminToken { get; init; }

    /// <summary>Redis users who may use key_evt_amqp commands if the upstream has no CONFIG command.</summary>
    public IReadOnlyList<string> AdminUsers { get; init; } = [];

    /// <summary>Distinguishes the markers of this proxy from those of others at the same upstream.</summary>
    public string Instance { get; init; } = "";

    /// <summary>The same name if it was given; null: <see cref="Instance"/> is random.</summary>
    public string? NamedInstance { get; init; }

    public LogLevel LogLevel { get; init; }

    /// <summary>How long one attempt to connect to the upstream may take.</summary>
    public TimeSpan ConnectTimeout { get; init; }

    /// <summary>How many clients may be connected at once.</summary>
    public int MaxClients { get; init; }

    /// <summary>After how long without a byte from either side a session is ended; zero: never.</summary>
    public TimeSpan IdleTimeout { get; init; }

    public SocketSettings Sockets { get; init; } = new();

    /// <summary>The first port of the ports that lead to the nodes of a cluster.</summary>
    public int ListenBase { get; init; }

    /// <summary>The host that clients are told for the nodes of a cluster; null: each client is told the host that it has connected to.</summary>
    public string? AnnounceHost { get; init; }

    /// <summary>Whether subscribers of keyspace notifications hear all masters of the cluster.</summary>
    public bool MergeKeyspace { get; init; }

    /// <summary>For <c>--listen rediss://</c>.</summary>
    public TlsFiles ListenTls { get; init; } = new("--tls");

    /// <summary>Whether clients must show a certificate; null: they must if --tls-ca is given.</summary>
    public ClientCertificates? TlsAuthClients { get; init; }

    /// <summary>For <c>--upstream rediss://</c>.</summary>
    public TlsFiles UpstreamTls { get; init; } = new("--upstream");

    /// <summary>For <c>--amqp amqps://</c>.</summary>
    public TlsFiles AmqpTls { get; init; } = new("--amqp");

    /// <summary>What carries the sessions.</summary>
    public TransportKind Transport { get; init; }

    /// <summary>How many threads the epoll transport has.</summary>
    public int Loops { get; init; } = 1;

    /// <summary>How many bytes of memory waiting events may take.</summary>
    public long BufferBytes { get; init; }

    /// <summary>How many messages may wait for their confirms.</summary>
    public int Window { get; init; }

    /// <summary>Whether an event that no queue takes is kept and tried again.</summary>
    public bool StoreUnroutable { get; init; }

    /// <summary>How often the broker may refuse an event before it is published as failed; 0: no limit.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>Directory of the local spool; null: there is none.</summary>
    public string? Spool { get; init; }

    /// <summary>Whether Redis keeps for KeyEvt how far the event streams have come.</summary>
    public bool KeepState { get; init; }

    /// <summary>Whether gaps are published.</summary>
    public bool GapEvents { get; init; }

    /// <summary>Kept apart until all options are read: it wins over a password in a URI, whatever the order.</summary>
    public Secret? AmqpPassword { get; init; }

    public Secret? UpstreamPassword { get; init; }

    /// <summary>The user for the Sentinels; null: the login there names no user.</summary>
    public string? SentinelUser { get; init; }

    public Secret? SentinelPassword { get; init; }

    /// <summary>All secrets that come from files, and so can be read again.</summary>
    public IEnumerable<Secret> Secrets => ((Secret?[])[AmqpPassword, UpstreamPassword, SentinelPassword, AdminToken]).OfType<Secret>().Where(secret => secret.File is not null);

    /// <summary>All files that the options name.</summary>
    public IReadOnlyList<NamedFile> Files { get; init; } = [];

    /// <summary>Replaces the record's own text, which would show passwords.</summary>
    public override string ToString() => $"{nameof(ProxyOptions)} {Upstream} -> {Forwarding.Amqp}";
}
