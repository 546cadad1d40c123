using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback.Spool;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>
/// In which store does an event belong if the upstream has one master? In the list in Redis. But while the spool on this machine holds events, new
/// ones go to the spool too, so what is in the list is always older.
/// </summary>
internal sealed class OneListStores : IEventStoreSelector
{
    private readonly NamedStore _list;
    private readonly NamedStore? _spool;

    /// <param name="spool">A <see cref="LocalSpool"/>; null if there is none.</param>
    /// <param name="place">Where the list is at the moment, for messages to people.</param>
    /// <param name="fence">That of the list.</param>
    /// <param name="owner">Whether the list is this program's to use, and whether it is another member's.</param>
    public OneListStores(string name, IEventStore list, NamedStore? spool, Func<string> place, ListFence fence, (Func<bool> IsOurs, Func<bool> IsAnothers) owner)
    {
        Fence = fence;
        _list = new NamedStore(name, list) { Place = place, IsOurs = owner.IsOurs, IsAnothers = owner.IsAnothers };
        _spool = spool;
    }

    public IReadOnlyList<NamedStore> Always => _spool is null ? [_list] : [_list, _spool];

    public bool IsSearched => true;

    public ListFence Fence { get; }

    public bool MayDeliver => _list.IsOurs();

    public bool IsMany => _spool is not null;

    public IEnumerable<NamedStore> Elsewhere => _spool is null ? [] : [_spool];

    public NamedStore? WithoutLists => _spool;

    public Task<IReadOnlyList<NamedStore>> SearchAsync() => Task.FromResult<IReadOnlyList<NamedStore>>([]);

    public void SearchAnew()
    {
    }

    public NamedStore StoreOf(in LogEntry entry) => _spool?.Store is LocalSpool { Status.Entries: > 0 } ? _spool : _list;
}
