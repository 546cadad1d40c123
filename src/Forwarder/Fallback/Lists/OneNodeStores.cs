using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>In which store does an event belong if the user named one node? It turns out only later whether that is part of a cluster.</summary>
/// <param name="alone">If it is not. Its list must not be used once it is known that the node is part of a cluster.</param>
/// <param name="inCluster">If it is: lists in the slots of the node. It has the spool and the fence of the other.</param>
internal sealed class OneNodeStores(OneListStores alone, ClusterStores inCluster, Func<bool> isInCluster) : IEventStoreSelector
{
    public IReadOnlyList<NamedStore> Always => alone.Always;

    public bool IsSearched => Now.IsSearched;

    public bool MayDeliver => Now.MayDeliver;

    public ListFence Fence => alone.Fence;

    public bool IsMany => Now.IsMany;

    public IEnumerable<NamedStore> Elsewhere => Now.Elsewhere;

    public NamedStore? WithoutLists => Now.WithoutLists;

    private IEventStoreSelector Now => isInCluster() ? inCluster : alone;

    public bool HasNews() => Now.HasNews();

    public Task<IReadOnlyList<NamedStore>> SearchAsync() => Now.SearchAsync();

    public void SearchAnew() => Now.SearchAnew();

    public NamedStore StoreOf(in LogEntry entry) => Now.StoreOf(entry);
}
