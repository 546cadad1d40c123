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

/// <summary>How is this run of the program to behave? Every option read, checked, and defaults filled in; never changes afterwards.</summary>
internal sealed record ProxyOptions
{
    /// <summary>Where clients connect to.</summary>
    public IReadOnlyList<TransportAddress> Listen { get; init; } = [];

    public UpstreamAddress Upstream { get; init; } = null!; // the option has a default, so it is set before anyone reads it

    /// <summary>Where the first node that was named is, without who logs in.</summary>
    public TransportAddress UpstreamPlace => TransportAddress.Of(Upstream.Seeds[0]);

    /// <summary>What is forwarded and where to, as it stands after start.</summary>
    public ForwarderConfig Forwarding { get; init; } = new();

    public NotifyMode NotifyMode { get; init; }

    /// <summary>How long requests wait, at most, for a node's events to be heard; zero: never.</summary>
    public TimeSpan CoverageWait { get; init; }

    /// <summary>Where health and metrics are served; null when they are off.</summary>
    public TransportAddress? Admin { get; init; }

    /// <summary>What must be shown for most of the admin pages; null: nothing.</summary>
    public Secret? AdminToken { get; init; }

    /// <summary>Redis users that may use key_evt_amqp.* where the upstream has no CONFIG.</summary>
    public IReadOnlyList<string> AdminUsers { get; init; } = [];

    /// <summary>Tells the markers of this proxy from those of others on the same upstream.</summary>
    public string Instance { get; init; } = "";

    /// <summary>The same where it was given; null: it is a random one.</summary>
    public string? NamedInstance { get; init; }

    public LogLevel LogLevel { get; init; }

    /// <summary>How long one try to connect to the upstream may take.</summary>
    public TimeSpan ConnectTimeout { get; init; }

    /// <summary>Clients at once.</summary>
    public int MaxClients { get; init; }

    /// <summary>After which silence a session is ended; zero: never.</summary>
    public TimeSpan IdleTimeout { get; init; }

    public SocketSettings Sockets { get; init; } = new();

    /// <summary>The first port of the ports that lead to the nodes of a cluster.</summary>
    public int ListenBase { get; init; }

    /// <summary>How the nodes of a cluster are called towards clients; null: as each client has reached the proxy.</summary>
    public string? AnnounceHost { get; init; }

    /// <summary>Whether subscribers of keyspace notifications hear all masters of the cluster.</summary>
    public bool MergeKeyspace { get; init; }

    /// <summary>For <c>--listen rediss://</c>.</summary>
    public TlsFiles ListenTls { get; init; } = new("--tls");

    /// <summary>Null: required when there is an authority to judge them by.</summary>
    public ClientCertificates? TlsAuthClients { get; init; }

    /// <summary>For <c>--upstream rediss://</c>.</summary>
    public TlsFiles UpstreamTls { get; init; } = new("--upstream");

    /// <summary>For <c>--amqp amqps://</c>.</summary>
    public TlsFiles AmqpTls { get; init; } = new("--amqp");

    /// <summary>What carries the sessions.</summary>
    public TransportKind Transport { get; init; }

    /// <summary>Threads of the epoll transport.</summary>
    public int Loops { get; init; } = 1;

    /// <summary>How much memory waiting events may take.</summary>
    public long BufferBytes { get; init; }

    /// <summary>How many publishes may wait for their confirms.</summary>
    public int Window { get; init; }

    /// <summary>Whether an event that no queue takes is kept and tried again.</summary>
    public bool StoreUnroutable { get; init; }

    /// <summary>Refusals by the broker before an event is sent on as failed; 0: no limit.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>Directory of the local store; null: none.</summary>
    public string? Spool { get; init; }

    /// <summary>Whether it is kept in Redis how far the streams have come.</summary>
    public bool KeepState { get; init; }

    /// <summary>Whether gaps are published.</summary>
    public bool GapEvents { get; init; }

    /// <summary>Kept apart until all options are read: they win over a password in a URI, whatever the order.</summary>
    public Secret? AmqpPassword { get; init; }

    public Secret? UpstreamPassword { get; init; }

    /// <summary>As whom one logs in at the Sentinels; null: nobody in particular.</summary>
    public string? SentinelUser { get; init; }

    public Secret? SentinelPassword { get; init; }

    /// <summary>All that come from files and can be read again.</summary>
    public IEnumerable<Secret> Secrets => ((Secret?[])[AmqpPassword, UpstreamPassword, SentinelPassword, AdminToken]).OfType<Secret>().Where(secret => secret.File is not null);

    /// <summary>All files that were named.</summary>
    public IReadOnlyList<NamedFile> Files { get; init; } = [];

    /// <summary>Never printed as a whole: members hold passwords.</summary>
    public override string ToString() => $"{nameof(ProxyOptions)} {Upstream} -> {Forwarding.Amqp}";
}
