using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Intake;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder;

/// <summary>Which lists does the fallback storage have? One, or in a cluster one for each master that is listened to.</summary>
internal static class StoreSelection
{
    /// <param name="feeds">Tells which node is the master; null while there are no feeds yet.</param>
    /// <param name="duties">Of which nodes this program holds the streams.</param>
    public static IEventStoreSelector Of(
        ForwarderOptions options, TopologyWatcher topology, Func<FeedSet?> feeds, Func<GroupDuties> duties, UpstreamDatabase database, LocalSpool? spool, ILogger logger)
    {
        bool Holds(string node) => feeds()?.RunOf(node) is { } run && duties().Holds(run);
        bool IsAnothers(string node) => feeds()?.IsHeldByAnother(node) == true;
        string? Master() => (feeds() is { Master: { } known } all ? all.IdOf(known) : null) ?? topology.Current.Master?.Id;

        var named = spool is null ? null : NamedStore.Of(spool);
        var fence = new ListFence();
        var group = (options.GroupName, (Func<string, bool>)Holds, (Func<string, bool>)IsAnothers);
        var many = new ClusterStores(topology, run => feeds()?.NodeOf(duties().HeirOf(run)), database, named, logger, group, fence);
        if (options.Upstream.Shape == UpstreamShape.Cluster) return many;

        bool IsInCluster() => options.Upstream.Shape == UpstreamShape.Standalone && feeds()?.IsInCluster == true;
        (Func<bool>, Func<bool>) owner = options.Upstream.Shape == UpstreamShape.Standalone
            ? (() => !IsInCluster(), static () => false)
            : (() => Master() is { } master && Holds(master), () => Master() is { } master && IsAnothers(master));
        var list = new RedisListStore(FallbackKey.Name, database.OfMasterAsync, topology.Hint, logger, fence, FallbackKey.TermOf(FallbackKey.Name, options.GroupName));
        var one = new OneListStores(FallbackKey.Name, list, named, () => (feeds()?.Master ?? topology.Current.Master?.Address)?.ToString() ?? NamedStore.Nowhere, fence, owner);
        return options.Upstream.Shape == UpstreamShape.Standalone ? new OneNodeStores(one, many, IsInCluster) : one;
    }
}
