using System.Net.Sockets;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Cluster;

/// <summary>
/// Where does the proxy listen for each node of a cluster? A node keeps its port as long as it exists. When the node is gone, no client is accepted there any
/// more. The port is free for another node once the last session there has ended. Used by one caller at a time: first the start, then the loop.
/// </summary>
/// <param name="first">The host, whether TLS is spoken, and the first of the ports.</param>
/// <param name="services">What the sessions share, except for their upstream.</param>
internal sealed class ClusterListeners(
    ITopology topology, AddressTranslator translator, TransportAddress first, SessionServices services, SessionRegistry sessions, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>How many ports are tried.</summary>
    public const int MaxPorts = 1000;

    private readonly Dictionary<string, NodeListener> _listeners = [];

    /// <summary>Listeners of nodes that are gone. Each keeps its port while it has sessions.</summary>
    private readonly List<NodeListener> _closed = [];

    /// <summary>The last port of each node, by the node's id. A node that comes back gets it again, if it is free.</summary>
    private readonly Dictionary<string, int> _last = [];

    /// <summary>Ports that somebody else has taken and that were already warned of.</summary>
    private readonly HashSet<int> _taken = [];

    /// <summary>Written by the one caller, read by any thread, as is <see cref="_missing"/>: volatile references to lists that do not change.</summary>
    private volatile IReadOnlyList<string> _addresses = [];
    private volatile IReadOnlyList<string> _missing = [];

    public IReadOnlyList<string> Addresses => _addresses;

    /// <summary>One line for each node that clients cannot reach.</summary>
    public IReadOnlyList<string> Missing => _missing;

    /// <summary>Follows the topology until told to stop. Faults when an accept loop does.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            var changed = topology.Changed; // before the look, so that no change is missed
            await FollowAsync(topology.Current).ConfigureAwait(false);
            var ended = await Task.WhenAny([changed.WaitAsync(stop), .. _listeners.Values.Select(each => each.Accepting)]).ConfigureAwait(false);
            await ended.ConfigureAwait(false);
        }
    }

    /// <summary>Opens and closes listeners so that each node has one.</summary>
    public async Task FollowAsync(TopologySnapshot now)
    {
        foreach (var gone in _listeners.Where(open => now.Nodes.All(node => node.Id != open.Key)).ToList())
        {
            _listeners.Remove(gone.Key);
            _closed.Add(gone.Value);
            await gone.Value.CloseAsync().ConfigureAwait(false);
            ClusterLog.NodePortClosed(logger, gone.Key);
        }

        // In the order of their addresses, so that the same nodes get the same ports after a restart.
        foreach (var node in now.Nodes.Where(node => !_listeners.ContainsKey(node.Id)).OrderBy(node => node.Address.Host, StringComparer.Ordinal).ThenBy(node => node.Address.Port))
        {
            if (Open(node) is { } opened) (_listeners[node.Id], _last[node.Id]) = (opened, opened.Port);
        }

        _addresses = [.. _listeners.Values.OrderBy(each => each.Port).Select(each => each.Address)];
        _missing = [.. now.Nodes.Where(node => !_listeners.ContainsKey(node.Id)).Select(node => $"{node.Address}: cannot be reached, as no port from {first.Port} on is free")];
        translator.Change(new PortMap([.. now.Nodes.Where(node => _listeners.ContainsKey(node.Id)).Select(node => PortMapEntry.Of(node, _listeners[node.Id].Port))]));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var each in _listeners.Values.Concat(_closed)) await each.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Null: no port is free.</summary>
    private NodeListener? Open(TopologyNode node)
    {
        _closed.RemoveAll(old => !old.IsInUse);
        var last = Math.Min(65535, first.Port + MaxPorts - 1);
        foreach (var port in Enumerable.Range(first.Port, last - first.Port + 1).OrderBy(port => port != _last.GetValueOrDefault(node.Id)))
        {
            if (_listeners.Values.Any(other => other.Port == port) || _closed.Exists(old => old.Port == port && old.NodeId != node.Id))
            {
                continue;
            }

            try
            {
                var opened = new NodeListener(node.Id, port, services.Transport.Listen(first.WithPort(port)), ServicesFor(node), sessions, time, logger);
                ClusterLog.NodePortOpened(logger, node.Id, node.Address.ToString(), opened.Address);
                _taken.Remove(port);
                return opened;
            }
            catch (SocketException e)
            {
                if (_taken.Add(port)) ClusterLog.NodePortTaken(logger, port, e.Message);
            }
        }

        ClusterLog.NoNodePort(logger, node.Id, node.Address.ToString(), first.Port, last);
        return null;
    }

    private SessionServices ServicesFor(TopologyNode node) => services with
    {
        Upstream = TopologyRoute.ToNode(node.Id, node.Address.ToString(), topology, time),
        Reach = new UpstreamReachability(time, services.Logger),
        Probe = new UpstreamProbe(services.Transport, time, logger),
    };
}
