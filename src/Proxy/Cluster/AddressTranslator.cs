using KeyEvt.Forwarder.Signals;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Cluster;

/// <summary>
/// What are the cluster's nodes called on this side of the proxy? Shared by the sessions of all ports that lead to nodes. Thread safe; only
/// <see cref="ClusterListeners"/> changes it.
/// </summary>
/// <param name="announceHost">The host that clients are told; null: each client is told the address that it has connected to.</param>
/// <param name="hint">Asks the topology to look for nodes again.</param>
internal sealed class AddressTranslator(string? announceHost, Action<string> hint, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromMinutes(1);

    /// <summary>How long a reply waits for a node that is not known yet. The topology looks for nodes at once, which takes milliseconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Written by <see cref="ClusterListeners"/> alone: a volatile reference to an immutable map.</summary>
    private volatile PortMap _ports = PortMap.Empty;
    private readonly ChangeSignal _changed = new();
    private readonly RateLimiter _warnings = new(time, WarnEvery);

    public PortMap Ports => _ports;

    public void Change(PortMap ports)
    {
        _ports = ports;
        _changed.Signal();
    }

    public NodeNames NamesFor(IConnection client, TransportAddress upstream) =>
        new(this, announceHost ?? client.GetLocalAddress()?.ToString() ?? "127.0.0.1", upstream);

    /// <summary>Asks the topology to look for nodes, and waits until the map is as wanted. False: it was not in time.</summary>
    public async ValueTask<bool> AwaitAsync(Func<PortMap, bool> isThere, string reason, CancellationToken cancellationToken)
    {
        hint(reason);
        using var deadline = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            while (true)
            {
                var changed = _changed.Next; // before the look, so that no change is missed
                if (isThere(_ports)) return true;
                await changed.WaitAsync(either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>A client was sent to a node of which the proxy has no port, so it goes there past the proxy.</summary>
    public void WarnOfUnknown(string host, int port)
    {
        if (_warnings.TryTake()) ClusterLog.UnknownNode(logger, host, port);
    }
}

/// <summary>What are the cluster's nodes called towards one client?</summary>
/// <param name="Translator">Knows the nodes' ports.</param>
/// <param name="Host">The proxy's host, as this client reaches it.</param>
/// <param name="Upstream">The node that this session is connected to.</param>
internal sealed record NodeNames(AddressTranslator Translator, string Host, TransportAddress Upstream);
