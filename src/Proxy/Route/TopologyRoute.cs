using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Route;

/// <summary>
/// One node among those that the topology knows, chosen by a rule: the master behind Sentinel, a cluster's node with a certain id, or any master of a cluster.
/// </summary>
/// <param name="choose">
/// Chooses a node from the current topology, the address that was chosen before, and the places that have failed, which it never chooses. Null: there is none
/// at the moment. Sessions at the previous place go on then; if that node is dead, their connections break by themselves.
/// </param>
/// <param name="endsSessions">
/// Whether sessions end when another address is chosen, so that their clients reconnect, as they would after Redis had closed the connection.
/// </param>
/// <param name="clientsWait">
/// Whether a client waits for another place when no place accepts it. That pays where another place will come. With Sentinel, a client that waits is
/// interrupted for 2.3 s in a failover, and one that is refused and tries again for 4 s. Libraries that do not try again, such as redis-py, report hundreds of
/// errors to their program instead of one.
/// </param>
internal sealed class TopologyRoute(
    string name, ITopology topology, Func<TopologySnapshot, TransportAddress?, IReadOnlyList<UpstreamPlace>, TopologyNode?> choose, bool endsSessions, bool clientsWait, TimeProvider time) : IUpstreamRoute
{
    private static readonly TimeSpan HintEvery = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly RateLimiter _hints = new(time, HintEvery);

    /// <summary>The source of the current place's <see cref="UpstreamPlace.Over"/>. This field and <see cref="_place"/> are guarded by the gate.</summary>
    private CancellationTokenSource _over = new();
    private UpstreamPlace? _place;

    public string Name => name;

    /// <summary>To the one master that the Sentinels name.</summary>
    public static TopologyRoute ToMaster(string name, ITopology topology, TimeProvider time) =>
        new(name, topology, static (now, _, failed) => Unless(failed, now.Master), endsSessions: true, clientsWait: true, time);

    /// <summary>To the cluster's node with this id, wherever it is.</summary>
    public static TopologyRoute ToNode(string id, string name, ITopology topology, TimeProvider time) =>
        new(name, topology, (now, _, failed) => Unless(failed, now.Nodes.FirstOrDefault(node => node.Id == id)), endsSessions: true, clientsWait: false, time);

    /// <summary>
    /// To a master of the cluster: the same one as long as it serves slots and accepts clients. If it becomes a replica it answers MOVED, so its sessions may
    /// stay.
    /// </summary>
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
        // Looks again without a change of the topology, too: after a restart the same place accepts clients again.
        await Task.WhenAny(topology.Changed.WaitAsync(over.Token), Task.Delay(LookEvery, time, over.Token)).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return true;
    }

    public void Lost(UpstreamPlace place)
    {
        // A client's QUIT looks the same, and many sessions may end at once. One hint is enough for all.
        if (_hints.TryTake()) topology.Hint($"a session lost {place.Address}");
    }

    /// <summary>Ends sessions as soon as the upstream has moved to another place; runs until told to stop.</summary>
    public async Task FollowAsync(CancellationToken stop)
    {
        while (true)
        {
            var changed = topology.Changed;
            Follow(failed: []);
            await changed.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>The place for sessions that begin at this moment; null: there is none.</summary>
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

        before.Cancel(); // outside of the gate, since ending the sessions runs inside Cancel
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
