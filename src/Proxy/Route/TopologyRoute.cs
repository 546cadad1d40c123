using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Route;

/// <summary>
/// One node among those that the topology knows, chosen by a rule: the master behind Sentinel, a cluster's node with a certain id, or
/// any master of a cluster.
/// </summary>
/// <param name="choose">
/// From what is known now, and the address chosen before. Null: there is none at the moment. Sessions of the place before go on then: whether it is dead shows by itself.
/// </param>
/// <param name="endsSessions">Whether sessions end when another address is chosen, so that their clients reconnect, as they would from Redis.</param>
internal sealed class TopologyRoute(string name, ITopology topology, Func<TopologySnapshot, TransportAddress?, TopologyNode?> choose, bool endsSessions) : IUpstreamRoute
{
    /// <summary>Milliseconds.</summary>
    private const long HintEvery = 100;

    private readonly Lock _gate = new();
    private long _hintedAt = -HintEvery;
    private CancellationTokenSource _over = new();
    private UpstreamPlace? _place;

    public string Name => name;

    public bool MayMove => true;

    /// <summary>The one master that the Sentinels name.</summary>
    public static TopologyRoute ToMaster(string name, ITopology topology) => new(name, topology, static (now, _) => now.Master, endsSessions: true);

    /// <summary>The cluster's node of this id, wherever it is.</summary>
    public static TopologyRoute ToNode(string id, string name, ITopology topology) => new(name, topology, (now, _) => now.Nodes.FirstOrDefault(node => node.Id == id), endsSessions: true);

    /// <summary>A master of the cluster, the same one as long as it serves. One that became a replica answers MOVED: its sessions may stay.</summary>
    public static TopologyRoute ToAnyMaster(string name, ITopology topology) => new(name, topology, ChooseMaster, endsSessions: false);

    public async ValueTask<UpstreamPlace> FindAsync(UpstreamPlace? not, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = topology.Changed; // before the look, so that no change is missed
            if (Follow() is { } place && place != not) return place;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Lost(UpstreamPlace place)
    {
        // A client's QUIT looks the same, and many may come at once: one hint says it for all.
        var now = Environment.TickCount64;
        if (now - Volatile.Read(ref _hintedAt) < HintEvery) return;
        Volatile.Write(ref _hintedAt, now);
        topology.Hint($"a session lost {place.Address}");
    }

    /// <summary>Ends sessions as soon as their place is over, until told to stop.</summary>
    public async Task FollowAsync(CancellationToken stop)
    {
        while (true)
        {
            var changed = topology.Changed;
            Follow();
            await changed.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>The place for sessions that begin now; null: none.</summary>
    private UpstreamPlace? Follow()
    {
        CancellationTokenSource before;
        UpstreamPlace place;
        lock (_gate)
        {
            if (choose(topology.Current, _place?.Address) is not { } node) return null;
            var address = TransportAddress.Of(node.Address);
            if (_place is { } known && known.Address == address) return known;
            before = _over;
            _over = new CancellationTokenSource();
            place = _place = new UpstreamPlace(address, endsSessions ? _over.Token : CancellationToken.None);
        }

        before.Cancel(); // outside of the lock: the ends of sessions run in it
        return place;
    }

    private static TopologyNode? ChooseMaster(TopologySnapshot now, TransportAddress? last)
    {
        TopologyNode? chosen = null;
        foreach (var node in now.Masters.Where(node => !node.IsFailing && node.Slots.Count > 0))
        {
            if (TransportAddress.Of(node.Address) == last) return node;
            chosen ??= node;
        }

        return chosen ?? now.Masters.FirstOrDefault(node => !node.IsFailing);
    }
}
