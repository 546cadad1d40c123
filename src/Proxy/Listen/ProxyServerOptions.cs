using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Listen;

/// <summary>What does a proxy server need to be told?</summary>
internal sealed record ProxyServerOptions
{
    /// <summary>At least one.</summary>
    public required IReadOnlyList<TransportAddress> Listen { get; init; }

    public required TransportAddress Upstream { get; init; }

    /// <summary>Users of the upstream who may use key_evt_amqp commands where it has no CONFIG.</summary>
    public IReadOnlyList<string> AdminUsers { get; init; } = [];

    /// <summary>Clients at once.</summary>
    public int MaxClients { get; init; } = int.MaxValue;

    /// <summary>After which silence of both sides a session is ended; zero: never.</summary>
    public TimeSpan IdleTimeout { get; init; }

    public SessionDeadlines Deadlines { get; init; } = new();
}
