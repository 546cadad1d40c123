using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder;

/// <summary>Which lists does the fallback storage have? One, or in a cluster one for each master.</summary>
internal static class StoreSelection
{
    /// <param name="feeds">Tells which node is the master; null while there are no feeds yet.</param>
    /// <param name="holds">In a group: whether this program holds the stream of the node with this run id.</param>
    public static IEventStoreSelector Of(
        ForwarderOptions options, TopologyWatcher topology, Func<FeedSet?> feeds, Func<ulong, bool> holds, UpstreamDatabase database, LocalSpool? spool, ILogger logger)
    {
        bool Holds(string node) => feeds()?.RunOf(node) is { } run && holds(run);
        bool IsAnothers(string node) => feeds()?.IsHeldByAnother(node) == true;
        string? Master() => (feeds() is { Master: { } known } all ? all.IdOf(known) : null) ?? topology.Current.Master?.Id;

        if (options.Upstream.Shape == UpstreamShape.Cluster)
        {
            (string, Func<string, bool>, Func<string, bool>)? group = options.Group is { } name ? (name, Holds, IsAnothers) : null;
            return new ClusterStores(topology, run => feeds()?.NodeOf(run), database, spool, logger, group);
        }

        (Func<bool>, Func<bool>)? owner = options.Group is null || options.Upstream.Shape == UpstreamShape.Standalone
            ? null
            : (() => Master() is { } master && Holds(master), () => Master() is { } master && IsAnothers(master));
        var fence = new ListFence();
        var list = new RedisListStore(FallbackKey.Name, database.OfMasterAsync, topology.Hint, logger, fence, FallbackKey.TermOf(FallbackKey.Name, options.Group));
        return new OneListStores(FallbackKey.Name, list, spool, () => (feeds()?.Master ?? topology.Current.Master?.Address)?.ToString() ?? NamedStore.Nowhere, fence, owner);
    }
}
