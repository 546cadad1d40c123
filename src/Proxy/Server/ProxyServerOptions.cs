using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Server;

/// <summary>What does a proxy server need to be told?</summary>
internal sealed record ProxyServerOptions
{
    /// <summary>At least one.</summary>
    public IReadOnlyList<TransportAddress> Listen { get; init; } = [];

    /// <summary>Of a cluster: the ports that lead to its nodes begin here.</summary>
    public int ListenBase { get; init; }

    /// <summary>Of a cluster: how its nodes are called towards clients; null: as each client has reached the proxy.</summary>
    public string? AnnounceHost { get; init; }

    /// <summary>Of a cluster: subscribers of keyspace notifications hear all masters.</summary>
    public bool MergeKeyspace { get; init; }

    /// <summary>Users of the upstream who may use key_evt_amqp commands where it has no CONFIG.</summary>
    public IReadOnlyList<string> AdminUsers { get; init; } = [];

    /// <summary>Clients at once.</summary>
    public int MaxClients { get; init; } = int.MaxValue;

    /// <summary>After which silence of both sides a session is ended; zero: never.</summary>
    public TimeSpan IdleTimeout { get; init; }

    public SessionDeadlines Deadlines { get; init; } = new();
}
