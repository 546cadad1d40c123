using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Server;

/// <summary>What does a proxy server need to know?</summary>
internal sealed record ProxyServerOptions
{
    /// <summary>The addresses to listen on, at least one.</summary>
    public IReadOnlyList<TransportAddress> Listen { get; init; } = [];

    /// <summary>With a cluster: the first of the ports that lead to its nodes.</summary>
    public int ListenBase { get; init; }

    /// <summary>With a cluster: the host that clients are told for its nodes; null: each client is told the host that it has connected to.</summary>
    public string? AnnounceHost { get; init; }

    /// <summary>With a cluster: whether subscribers of keyspace notifications hear all masters.</summary>
    public bool MergeKeyspace { get; init; }

    /// <summary>Redis users who may use key_evt_amqp commands if the upstream has no CONFIG command.</summary>
    public IReadOnlyList<string> AdminUsers { get; init; } = [];

    /// <summary>How many clients may be connected at once.</summary>
    public int MaxClients { get; init; } = int.MaxValue;

    /// <summary>After how long without a byte from either side a session is ended; zero: never.</summary>
    public TimeSpan IdleTimeout { get; init; }

    public SessionDeadlines Deadlines { get; init; } = new();
}
