using System.Globalization;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>
/// Which lists are there in a cluster? One for each master, under a key with a hash tag whose slot that master serves. A list stays in its slot,
/// wherever that slot moves. When the slot has moved to another master, the old master gets a list with another tag. Lists of an earlier run are
/// searched for under every tag that this program could have chosen, one for each slot, and under the key without a tag.
/// </summary>
/// <remarks>
/// A list belongs to the member that holds the stream of the master in whose slot it is. The other members leave it alone, and do not look for it.
/// </remarks>
/// <param name="nodeOf">Which node delivers the events with a run id, see <see cref="EventPosition"/>; null: not known. It may be the one that has taken the place of the node that sent them.</param>
/// <param name="group">The group, whether this program holds the stream of a node, and whether another member does.</param>
internal sealed class ClusterStores(
    ITopology topology, Func<ulong, string?> nodeOf, UpstreamDatabase database, NamedStore? spool, ILogger logger, (string Name, Func<string, bool> Holds, Func<string, bool> IsAnothers) group, ListFence fence) : IEventStoreSelector
{
    /// <summary>How many length queries are sent at once during the search.</summary>
    private const int SearchBatch = 1024;

    private static readonly int PlainSlot = SlotTag.SlotOf(FallbackKey.Utf8);

    /// <summary>
    /// Guards <see cref="_lists"/> and <see cref="_tagged"/>: the delivery loop and a search use them at the same time. Only the delivery loop uses
    /// the other fields.
    /// </summary>
    private readonly Lock _gate = new();
    private readonly Dictionary<string, NamedStore> _lists = [];
    private readonly List<int> _tagged = []; // the slots of lists whose key has a tag
    private readonly Dictionary<string, int> _slotOfNode = [];
    private readonly Dictionary<ulong, string> _nodeOfRun = [];
    private readonly SearchedSlots _searched = new(topology, node => group.Holds(node.Id));

    public IReadOnlyList<NamedStore> Always => spool is null ? [] : [spool];

    public bool IsSearched => _searched.IsComplete;

    public ListFence Fence { get; } = fence;

    public bool IsMany => true;

    public NamedStore? WithoutLists => spool;

    public IEnumerable<NamedStore> Elsewhere
    {
        get
        {
            if (spool is not null) yield return spool;
            foreach (var node in Serving().Where(IsOurs)) yield return ListOf(node);
        }
    }

    public bool HasNews() => _searched.HasNews();

    public NamedStore StoreOf(in LogEntry entry)
    {
        if (NodeOf(entry.MessageId.Span) is { } id)
        {
            if (Serving().FirstOrDefault(one => one.Id == id) is { } node) return ListOf(node);
            if (_slotOfNode.TryGetValue(id, out var slot)) return ListIn(slot); // the node is gone; its slots and the list in them are not
            if (SuccessorOf(id) is { } successor) return ListOf(successor);
        }

        return Serving().OrderByDescending(IsOurs).FirstOrDefault() is { } any ? ListOf(any) : ListUnder(FallbackKey.Name, PlainSlot);
    }

    public async Task<IReadOnlyList<NamedStore>> SearchAsync()
    {
        var found = new List<NamedStore>();
        string? fault = null;
        await database.KnownAsync().ConfigureAwait(false);
        foreach (var slots in _searched.Due)
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

        _searched.IsComplete = fault is null;
        return fault is null || found.Count > 0 ? found : throw new StoreException(fault);
    }

    public void SearchAnew() => _searched.Forget();

    private async Task<IEnumerable<NamedStore>> SearchAsync(int[] slots)
    {
        // As far as the topology knows, one master serves all these slots. If it does not serve one of them, the query fails and the search is
        // repeated later.
        var at = await database.OfSlotAsync(slots[0]).ConfigureAwait(false);
        (string Key, int Slot)[] places = [.. slots.Select(slot => (FallbackKey.In(slot), slot)), .. slots.Contains(PlainSlot) ? [(FallbackKey.Name, PlainSlot)] : Array.Empty<(string, int)>()];
        var lengths = await Task.WhenAll(places.Select(place => at.Database.ListLengthAsync(place.Key, at.Flags))).ConfigureAwait(false);
        _searched.Searched(slots);
        return places.Where((_, index) => lengths[index] > 0).Select(place => ListUnder(place.Key, place.Slot));
    }

    private bool IsOurs(TopologyNode node) => group.Holds(node.Id);

    /// <summary>The master that a replaced one replicates now; null: not known.</summary>
    private TopologyNode? SuccessorOf(string nodeId) =>
        topology.Current.Nodes.FirstOrDefault(node => node.Id == nodeId) is { Role: NodeRole.Replica, MasterId: { } master } ? Serving().FirstOrDefault(node => node.Id == master) : null;

    private IEnumerable<TopologyNode> Serving() => topology.Current.Masters.Where(node => node is { IsFailing: false, Slots.Count: > 0 });

    private string? NodeOf(ReadOnlySpan<byte> messageId)
    {
        if (!EventMessageId.TryReadRun(messageId, out var run)) return null;

        if (!_nodeOfRun.TryGetValue(run, out var id) && nodeOf(run) is { } found) _nodeOfRun[run] = id = found;
        return id;
    }

    /// <summary>
    /// The list for a master's events. It is the list that the master had before, or one whose slot has moved to the master, as long as the master
    /// serves that slot. Otherwise it is a new list.
    /// </summary>
    private NamedStore ListOf(TopologyNode node)
    {
        if (_slotOfNode.TryGetValue(node.Id, out var slot) && node.Serves(slot)) return ListIn(slot);

        // A new list goes into the last slot, because resharding tools move the first ones.
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
                var term = FallbackKey.TermOf(FallbackKey.In(slot), group.Name); // in the list's slot, also for the list without a tag
                _lists[key] = list = new NamedStore(key, new RedisListStore(key, () => database.OfSlotAsync(slot), topology.Hint, logger, Fence, term))
                {
                    IsOurs = () => topology.Current.MasterOf(slot) is { } node && IsOurs(node),
                    IsAnothers = () => topology.Current.MasterOf(slot) is { } node && group.IsAnothers(node.Id),
                    Place = () => string.Create(CultureInfo.InvariantCulture, $"{topology.Current.MasterOf(slot)?.Address.ToString() ?? NamedStore.Nowhere},slot={slot}"),
                };
                if (key != FallbackKey.Name) _tagged.Add(slot);
            }

            return list;
        }
    }
}
