using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>Which stores are there, and in which of them does an event belong? Used by one loop only.</summary>
internal interface IEventStoreSelector
{
    /// <summary>Those that are there whatever else is found.</summary>
    IReadOnlyList<NamedStore> Always { get; }

    /// <summary>Whether it is known where an earlier run may have left something.</summary>
    bool IsSearched { get; }

    /// <summary>Whether there may be more than one: then what is stored in one may have to go out before what is stored in another.</summary>
    bool IsMany { get; }

    /// <summary>Looks where it was not yet possible to. Returns stores that an earlier run has left something in. Throws <see cref="StoreException"/> when some place was not reached.</summary>
    Task<IReadOnlyList<NamedStore>> SearchAsync();

    NamedStore StoreOf(in LogEntry entry);

    /// <summary>Where an event may go when the store it belongs in does not take it, best first.</summary>
    IEnumerable<NamedStore> Elsewhere { get; }

    /// <summary>Where events go while the lists in Redis are switched off; null: nowhere.</summary>
    NamedStore? WithoutLists { get; }
}
