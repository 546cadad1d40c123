using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Cluster;

/// <summary>The port of the proxy that leads to one node of a cluster. It accepts clients until it is closed. Owns the listener.</summary>
internal sealed class NodeListener : IAsyncDisposable
{
    private readonly IConnectionListener _listener;
    private readonly SessionServices _services;
    private readonly SessionRegistry _sessions;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _following;

    /// <summary>Used by <see cref="ClusterListeners"/> only, one call at a time.</summary>
    private bool _isClosed;

    public NodeListener(string nodeId, int port, IConnectionListener listener, SessionServices services, SessionRegistry sessions, TimeProvider time, ILogger logger)
    {
        (NodeId, Port, _listener, _services, _sessions) = (nodeId, port, listener, services, sessions);
        Accepting = new ProxyListener(listener, sessions, time, logger, services).RunAsync(_closing.Token);
        _following = services.Upstream is TopologyRoute route ? route.FollowAsync(_closing.Token) : Task.CompletedTask;
    }

    public string NodeId { get; }

    public int Port { get; }

    public string Address => _listener.Address;

    /// <summary>The accept loop. Completes when this listener is closed, faults when the loop has died.</summary>
    public Task Accepting { get; }

    /// <summary>Whether it has sessions. They go on after this listener was closed.</summary>
    public bool IsInUse => _sessions.HasSessionsOf(_services);

    /// <summary>Accepts no more clients, and gives the address back.</summary>
    public async Task CloseAsync()
    {
        if (_isClosed) return;
        _isClosed = true;
        await _closing.CancelAsync().ConfigureAwait(false);
        await Accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _listener.DisposeAsync().ConfigureAwait(false);
        _closing.Dispose();
    }

    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);
}
