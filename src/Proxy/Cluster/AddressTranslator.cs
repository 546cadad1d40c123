using KeyEvt.Forwarder.Signals;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Cluster;

/// <summary>What do the sessions of the ports of a cluster's nodes share: what its nodes are called on this side of the proxy? Thread safe; written to by <see cref="ClusterListeners"/> alone.</summary>
/// <param name="announceHost">Null: the address that each client has connected to.</param>
/// <param name="hint">Asks the topology to look again.</param>
internal sealed class AddressTranslator(string? announceHost, Action<string> hint, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromMinutes(1);

    /// <summary>How long a reply waits for a node that is not known yet. Nodes are looked for at once; it takes milliseconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

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

    /// <summary>Looks for a node that is not in the map, until it is there; false: it did not come in time.</summary>
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

    /// <summary>A client was sent to a node past the proxy.</summary>
    public void WarnOfUnknown(string host, int port)
    {
        if (_warnings.TryTake()) ClusterLog.UnknownNode(logger, host, port);
    }
}

/// <summary>What are the cluster's nodes called towards one client?</summary>
/// <param name="Translator">Their ports.</param>
/// <param name="Host">The proxy, as this client reaches it.</param>
/// <param name="Upstream">The node that this session is connected to.</param>
internal sealed record NodeNames(AddressTranslator Translator, string Host, TransportAddress Upstream);
