using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Route;

/// <summary>
/// One node among those that the topology knows, chosen by a rule: the master behind Sentinel, a cluster's node with a certain id, or
/// any master of a cluster.
/// </summary>
/// <param name="choose">
/// From what is known now, and the address chosen before; never one of those that have failed. Null: there is none at the moment. Sessions of the place before go on then: whether it is
/// dead shows by itself.
/// </param>
/// <param name="endsSessions">Whether sessions end when another address is chosen, so that their clients reconnect, as they would from Redis.</param>
/// <param name="clientsWait">
/// Whether a client that cannot be let in waits for another place. That is worth it where one is to come: with Sentinel a client that waits stands still for 2.3 s in a failover, one that is
/// refused and tries again for 4 s; and libraries that do not try again tell their program of hundreds of errors (redis-py) instead of one.
/// </param>
internal sealed class TopologyRoute(
    string name, ITopology topology, Func<TopologySnapshot, TransportAddress?, IReadOnlyList<UpstreamPlace>, TopologyNode?> choose, bool endsSessions, bool clientsWait, TimeProvider time) : IUpstreamRoute
{
    private static readonly TimeSpan HintEvery = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly RateLimiter _hints = new(time, HintEvery);
    private CancellationTokenSource _over = new();
    private UpstreamPlace? _place;

    public string Name => name;

    /// <summary>The one master that the Sentinels name.</summary>
    public static TopologyRoute ToMaster(string name, ITopology topology, TimeProvider time) =>
        new(name, topology, static (now, _, failed) => Unless(failed, now.Master), endsSessions: true, clientsWait: true, time);

    /// <summary>The cluster's node of this id, wherever it is.</summary>
    public static TopologyRoute ToNode(string id, string name, ITopology topology, TimeProvider time) =>
        new(name, topology, (now, _, failed) => Unless(failed, now.Nodes.FirstOrDefault(node => node.Id == id)), endsSessions: true, clientsWait: false, time);

    /// <summary>A master of the cluster, the same one as long as it serves and lets clients in. One that became a replica answers MOVED: its sessions may stay.</summary>
    public static TopologyRoute ToAnyMaster(string name, ITopology topology, TimeProvider time) => new(name, topology, ChooseMaster, endsSessions: false, clientsWait: false, time);

    public async ValueTask<UpstreamPlace?> FindAsync(IReadOnlyList<UpstreamPlace> failed, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = topology.Changed; // before the look, so that no change is missed
            if (Follow(failed) is { } place) return place;
            if (topology.Current.Nodes.Count > 0) return null;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (!clientsWait) return false;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(topology.Changed.WaitAsync(over.Token), Task.Delay(LookEvery, time, over.Token)).ConfigureAwait(false); // the same place may let us in again: a restart
        await over.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return true;
    }

    public void Lost(UpstreamPlace place)
    {
        // A client's QUIT looks the same, and many may come at once: one hint says it for all.
        if (_hints.TryTake()) topology.Hint($"a session lost {place.Address}");
    }

    /// <summary>Ends sessions as soon as their place is over, until told to stop.</summary>
    public async Task FollowAsync(CancellationToken stop)
    {
        while (true)
        {
            var changed = topology.Changed;
            Follow(failed: []);
            await changed.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>The place for sessions that begin now; null: none.</summary>
    private UpstreamPlace? Follow(IReadOnlyList<UpstreamPlace> failed)
    {
        CancellationTokenSource before;
        UpstreamPlace place;
        lock (_gate)
        {
            if (choose(topology.Current, _place?.Address, failed) is not { } node) return null;
            var address = TransportAddress.Of(node.Address);
            if (_place is { } known && known.Address == address) return known;
            before = _over;
            _over = new CancellationTokenSource();
            place = _place = new UpstreamPlace(address, endsSessions ? _over.Token : CancellationToken.None);
        }

        before.Cancel(); // outside of the lock: the ends of sessions run in it
        return place;
    }

    private static TopologyNode? Unless(IReadOnlyList<UpstreamPlace> failed, TopologyNode? node) => node is null || HasFailed(failed, node) ? null : node;

    private static bool HasFailed(IReadOnlyList<UpstreamPlace> failed, TopologyNode node) => failed.Count > 0 && failed.Any(place => place.Address == TransportAddress.Of(node.Address));

    private static TopologyNode? ChooseMaster(TopologySnapshot now, TransportAddress? last, IReadOnlyList<UpstreamPlace> failed)
    {
        TopologyNode? chosen = null;
        foreach (var node in now.Masters.Where(node => !node.IsFailing && node.Slots.Count > 0 && !HasFailed(failed, node)))
        {
            if (TransportAddress.Of(node.Address) == last) return node;
            chosen ??= node;
        }

        return chosen ?? now.Masters.FirstOrDefault(node => !node.IsFailing && !HasFailed(failed, node));
    }
}
