using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>Which stores are there, and in which of them does an event belong? Used by the delivery loop only, but a search runs beside it, one at a time.</summary>
internal interface IEventStoreSelector
{
    /// <summary>The stores that always exist, whatever a search finds.</summary>
    IReadOnlyList<NamedStore> Always { get; }

    /// <summary>Whether every place has been searched where an earlier run may have left events.</summary>
    bool IsSearched { get; }

    /// <summary>
    /// Whether events may be delivered at all. If there is one list, and another member uses it, it may hold older ones of the same node.
    /// </summary>
    bool MayDeliver => true;

    /// <summary>Whether other lists may be used than at the last call, so that they have to be searched.</summary>
    bool HasNews() => false;

    /// <summary>The term that the lists are used with.</summary>
    ListFence Fence { get; }

    /// <summary>Whether there may be several stores. Then events of one store may have to be sent before those of another.</summary>
    bool IsMany { get; }

    /// <summary>
    /// Searches the places that have not been searched yet. Returns the stores in which an earlier run has left events. Throws
    /// <see cref="StoreException"/> if some place was not reached and nothing was found.
    /// </summary>
    Task<IReadOnlyList<NamedStore>> SearchAsync();

    /// <summary>As if nothing had been searched yet. Called while no search runs.</summary>
    void SearchAnew();

    NamedStore StoreOf(in LogEntry entry);

    /// <summary>Stores for an event whose own store does not accept it, best first.</summary>
    IEnumerable<NamedStore> Elsewhere { get; }

    /// <summary>Where events go while the lists in Redis are switched off; null if there is no such store.</summary>
    NamedStore? WithoutLists { get; }
}
