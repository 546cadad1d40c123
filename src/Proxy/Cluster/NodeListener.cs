using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Cluster;

/// <summary>The port of the proxy that leads to one node of a cluster: accepts until it is closed. Owns the listener.</summary>
internal sealed class NodeListener : IAsyncDisposable
{
    private readonly IConnectionListener _listener;
    private readonly SessionServices _services;
    private readonly SessionRegistry _sessions;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _following;
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

    /// <summary>The accept loop: ends when the listener is closed, faults when it has died.</summary>
    public Task Accepting { get; }

    /// <summary>Its sessions go on after it was closed.</summary>
    public bool IsInUse => _sessions.HasSessionsOf(_services);

    /// <summary>Nobody is let in any more.</summary>
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
