using System.Globalization;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>
/// Which lists are there in a cluster? One for each master, under a key with a tag whose slot that master serves; a list stays in its slot, wherever that goes. When it has gone
/// to another master, its old one gets another tag. What an earlier run left is looked for under every tag that this program could have chosen, one for each slot, and under the key without a tag.
/// </summary>
internal sealed class ClusterStores(ITopology topology, Func<ulong, string?> nodeOf, UpstreamDatabase database, LocalSpool? spool, ILogger logger) : IEventStoreSelector
{
    /// <summary>Questions on their way at once during the search.</summary>
    private const int SearchBatch = 1024;

    private static readonly int PlainSlot = SlotTag.SlotOf(FallbackKey.Utf8);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, NamedStore> _lists = [];
    private readonly List<int> _tagged = []; // slots of lists with a tag
    private readonly Dictionary<string, int> _slotOfNode = [];
    private readonly Dictionary<ulong, string> _nodeOfRun = [];
    private readonly bool[] _isSearched = new bool[SlotTag.Slots];
    private readonly NamedStore? _spool = spool is null ? null : NamedStore.Of(spool);

    public IReadOnlyList<NamedStore> Always => _spool is null ? [] : [_spool];

    public bool IsSearched { get; private set; }

    public bool IsMany => true;

    public NamedStore? WithoutLists => _spool;

    public IEnumerable<NamedStore> Elsewhere
    {
        get
        {
            if (_spool is not null) yield return _spool;
            foreach (var node in Serving()) yield return ListOf(node);
        }
    }

    public NamedStore StoreOf(in LogEntry entry)
    {
        if (NodeOf(entry.MessageId.Span) is { } id)
        {
            if (Serving().FirstOrDefault(one => one.Id == id) is { } node) return ListOf(node);
            if (_slotOfNode.TryGetValue(id, out var slot)) return ListIn(slot); // it is gone, its slots are not
        }

        return Serving().FirstOrDefault() is { } any ? ListOf(any) : ListUnder(FallbackKey.Name, PlainSlot);
    }

    public async Task<IReadOnlyList<NamedStore>> SearchAsync()
    {
        var found = new List<NamedStore>();
        string? fault = null;
        await database.KnownAsync().ConfigureAwait(false);
        foreach (var slots in Enumerable.Range(0, SlotTag.Slots).Where(slot => !_isSearched[slot]).GroupBy(slot => topology.Current.MasterOf(slot)?.Address).ToList())
        {
            try
            {
                foreach (var some in slots.Chunk(SearchBatch)) found.AddRange(await SearchAsync(some).ConfigureAwait(false));
            }
            catch (Exception e) when (RedisListStore.IsExpected(e))
            {
                fault ??= RedisListStore.Failure(e).Message;
            }
        }

        IsSearched = fault is null;
        return IsSearched || found.Count > 0 ? found : throw new StoreException(fault!);
    }

    private async Task<IEnumerable<NamedStore>> SearchAsync(int[] slots)
    {
        // All of them are served by one master, as far as is known; one that is not says so, and the search goes on later.
        var at = await database.OfSlotAsync(slots[0]).ConfigureAwait(false);
        (string Key, int Slot)[] places = [.. slots.Select(slot => (FallbackKey.In(slot), slot)), .. slots.Contains(PlainSlot) ? [(FallbackKey.Name, PlainSlot)] : Array.Empty<(string, int)>()];
        var lengths = await Task.WhenAll(places.Select(place => at.Database.ListLengthAsync(place.Key, at.Flags))).ConfigureAwait(false);
        foreach (var slot in slots) _isSearched[slot] = true;
        return places.Where((_, index) => lengths[index] > 0).Select(place => ListUnder(place.Key, place.Slot));
    }

    private IEnumerable<TopologyNode> Serving() => topology.Current.Masters.Where(node => node is { IsFailing: false, Slots.Count: > 0 });

    private string? NodeOf(ReadOnlySpan<byte> messageId)
    {
        if (!EventPosition.TryReadRun(messageId, out var run)) return null;

        if (!_nodeOfRun.TryGetValue(run, out var id) && nodeOf(run) is { } found) _nodeOfRun[run] = id = found;
        return id;
    }

    /// <summary>The list a master's events go to: the one it had, or one that its slots have brought, as long as it serves its slot; else a new one.</summary>
    private NamedStore ListOf(TopologyNode node)
    {
        if (_slotOfNode.TryGetValue(node.Id, out var slot) && node.Serves(slot)) return ListIn(slot);

        // The last slot: resharding tools take the first ones.
        lock (_gate) slot = _tagged.Where(node.Serves).DefaultIfEmpty(node.Slots[^1].Last).First();
        _slotOfNode[node.Id] = slot;
        return ListIn(slot);
    }

    private NamedStore ListIn(int slot) => ListUnder(FallbackKey.In(slot), slot);

    private NamedStore ListUnder(string key, int slot)
    {
        lock (_gate)
        {
            if (!_lists.TryGetValue(key, out var list))
            {
                _lists[key] = list = new NamedStore(key, new RedisListStore(key, () => database.OfSlotAsync(slot), topology.Hint, logger))
                {
                    Place = () => string.Create(CultureInfo.InvariantCulture, $"{topology.Current.MasterOf(slot)?.Address.ToString() ?? "nobody"},slot={slot}"),
                };
                if (key != FallbackKey.Name) _tagged.Add(slot);
            }

            return list;
        }
    }
}
