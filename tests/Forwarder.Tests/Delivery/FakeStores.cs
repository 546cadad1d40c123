using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Three stores, and nodes whose events belong in one of them: node n in store n, until a test says otherwise.</summary>
internal sealed class FakeStores : IEventStoreSelector
{
    private readonly NamedStore[] _named;

    public FakeStores()
    {
        Stores = [new FakeStore(), new FakeStore(), new FakeStore()];
        _named = [.. Stores.Select((store, index) => new NamedStore($"store {index}", store))];
    }

    public FakeStore[] Stores { get; }

    /// <summary>In which store the events of each node belong.</summary>
    public int[] HomeOf { get; } = [0, 1, 2];

    /// <summary>Searches wait for it before they look; null: they do not wait.</summary>
    public Task? Until { get; set; }

    /// <summary>How the searches to come fail.</summary>
    public Queue<string> Faults { get; } = new();

    public IReadOnlyList<NamedStore> Always => [];

    public bool IsSearched { get; private set; }

    public ListFence Fence { get; } = new();

    /// <summary>Searches that were begun.</summary>
    public int Searches { get; private set; }

    public bool IsMany => true;

    public IEnumerable<NamedStore> Elsewhere => _named;

    public NamedStore? WithoutLists => null;

    public async Task<IReadOnlyList<NamedStore>> SearchAsync()
    {
        Searches++;
        if (Until is { } until) await until;
        if (Faults.TryDequeue(out var fault)) throw new StoreException(fault);

        IsSearched = true;
        return [.. _named.Where((_, index) => Stores[index].Entries.Count > 0)];
    }

    public void SearchAnew() => IsSearched = false;

    public NamedStore StoreOf(in LogEntry entry) => EventMessageId.TryReadRun(entry.MessageId.Span, out var run) ? _named[HomeOf[run]] : _named[0];
}
