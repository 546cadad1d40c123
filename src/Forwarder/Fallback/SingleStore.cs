using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Fallback;

/// <summary>The one store of an upstream with one master: every event belongs in it.</summary>
internal sealed class SingleStore(string name, IEventStore store, Func<string> place) : IEventStores
{
    private readonly NamedStore _store = new(name, store) { Place = place };

    public IReadOnlyList<NamedStore> Always => [_store];

    public bool IsSearched => true;

    public bool IsMany => false;

    public IEnumerable<NamedStore> Elsewhere => [];

    /// <summary>The store itself knows what to do then.</summary>
    public NamedStore? WithoutLists => _store;

    public Task<IReadOnlyList<NamedStore>> SearchAsync() => Task.FromResult<IReadOnlyList<NamedStore>>([]);

    public NamedStore StoreOf(in LogEntry entry) => _store;
}
