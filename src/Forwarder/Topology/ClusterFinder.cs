using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Topology;

/// <summary>What do the nodes of a cluster say of it? Asks CLUSTER NODES, which every version has, and which alone tells each node's config epoch.</summary>
/// <remarks>
/// Another node is asked each time, so that a node that is cut off from the others does not hide what they have agreed on. An answer is ignored if
/// its newest config epoch is older than one seen before. It counts after some rounds in which no node gave a newer answer: slots were given up, or
/// the cluster was created anew. Gossip needs a moment until all nodes know a new node or have forgotten a removed one. So a node is given up only
/// when several answers in a row do not name it.
/// </remarks>
internal sealed class ClusterFinder(UpstreamAddress upstream, IRedisTransport transport, TimeProvider time) : INodeFinder
{
    private const int MissesUntilGone = 3;
    private const int RoundsUntilOlderCounts = 3;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private readonly Dictionary<RedisAddress, RedisClient> _callers = [];
    private readonly Dictionary<string, int> _misses = [];
    private IReadOnlyList<TopologyNode> _known = [];
    private long _epoch;
    private int _olderRounds;
    private int _turn;

    public async Task<IReadOnlyList<TopologyNode>> FindAsync()
    {
        var faults = new List<string>();
        var places = Places();
        var hasOlder = false;
        _turn = (_turn + 1) % places.Count;
        foreach (var place in places.Skip(_turn).Concat(places.Take(_turn)))
        {
            try
            {
                var answer = await (await CallerAsync(place).ConfigureAwait(false)).AskAsync("CLUSTER", "NODES").ConfigureAwait(false);
                if (answer.IsError) throw Refusals.Of(answer, "+cluster|nodes");

                var view = ClusterNodesReply.Parse(answer.Text, upstream, place.Host);
                if (view.Epoch < _epoch && _olderRounds < RoundsUntilOlderCounts)
                {
                    hasOlder = true;
                    faults.Add($"{place}: it tells of an older state than another one did");
                    continue;
                }

                (_epoch, _olderRounds) = (view.Epoch, 0);
                _known = Merge(view.Nodes);
                await ForgetCallersAsync().ConfigureAwait(false);
                return _known;
            }
            catch (IOException e)
            {
                faults.Add($"{place}: {e.Message}");
                await CloseAsync(place).ConfigureAwait(false);
            }
        }

        if (hasOlder) _olderRounds++;
        throw new IOException($"no node tells of the cluster: {string.Join("; ", faults.Take(3))}");
    }

    /// <summary>Does nothing: cluster nodes announce no changes. Feeds that lose their connection give the hints instead.</summary>
    public Task ListenAsync(Action<string> hint, CancellationToken stop) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var caller in _callers.Values) await caller.DisposeAsync().ConfigureAwait(false);
        _callers.Clear();
    }

    /// <summary>Addresses to ask: the known nodes, those that are not failing first, and then the seeds.</summary>
    private List<RedisAddress> Places() =>
        [.. _known.Where(node => !node.IsFailing).Select(node => node.Address).Concat(_known.Select(node => node.Address)).Concat(upstream.Seeds).Distinct()];

    private List<TopologyNode> Merge(IReadOnlyList<TopologyNode> view)
    {
        var nodes = view.ToList();
        foreach (var node in view) _misses.Remove(node.Id);
        foreach (var node in _known.Where(known => view.All(one => one.Id != known.Id)))
        {
            var misses = _misses[node.Id] = _misses.GetValueOrDefault(node.Id) + 1;
            if (misses < MissesUntilGone) nodes.Add(node with { Slots = [], IsFailing = true });
            else _misses.Remove(node.Id);
        }

        nodes.Sort((one, other) => string.CompareOrdinal(one.Id, other.Id));
        return nodes;
    }

    private async Task<RedisClient> CallerAsync(RedisAddress place) =>
        _callers.TryGetValue(place, out var open) ? open : _callers[place] = await RedisClient.OpenAsync(place, transport, Deadline, time).ConfigureAwait(false);

    private async Task CloseAsync(RedisAddress place)
    {
        if (_callers.Remove(place, out var caller)) await caller.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ForgetCallersAsync()
    {
        var places = Places();
        foreach (var place in _callers.Keys.Where(place => !places.Contains(place)).ToList()) await CloseAsync(place).ConfigureAwait(false);
    }
}
