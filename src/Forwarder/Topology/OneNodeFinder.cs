using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Which slots does the one node serve that the user named, if it turns out to be part of a cluster?</summary>
/// <remarks>
/// It stays the one node, under the address that the user gave: nothing else is done with the others. The lists of the fallback storage and the state of the stream lie in slots that
/// it serves. As long as the node is not known to be part of a cluster, nobody is asked.
/// </remarks>
internal sealed class OneNodeFinder(UpstreamAddress upstream, IRedisTransport transport, TimeProvider time) : INodeFinder
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private readonly RedisAddress _address = upstream.Seeds[0];
    private RedisClient? _caller;
    private volatile bool _hasAsked;

    /// <summary>Whether the node is known to be part of a cluster. Set before the first look.</summary>
    public Func<bool> IsInCluster { get; set; } = static () => false;

    public bool IsAwaited => !_hasAsked && IsInCluster();

    /// <summary>The node as it is known by its address alone. Whether it is a master, its feed finds out.</summary>
    public static TopologyNode NodeOf(UpstreamAddress upstream) => new() { Id = upstream.Seeds[0].ToString(), Address = upstream.Seeds[0], Role = NodeRole.Unknown };

    public async Task<IReadOnlyList<TopologyNode>> FindAsync()
    {
        var node = NodeOf(upstream);
        if (!IsInCluster()) return [node];

        try
        {
            _caller ??= await RedisClient.OpenAsync(_address, transport, Deadline, time).ConfigureAwait(false);
            var answer = await _caller.AskAsync("CLUSTER", "NODES").ConfigureAwait(false);
            return answer.IsError ? throw Refusals.Of(answer, "+cluster|nodes") : [node with { Slots = ClusterNodesReply.SlotsOfMyself(answer.Text) }];
        }
        catch (IOException)
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            _hasAsked = true;
        }
    }

    /// <summary>Does nothing: slots that move are found by looking.</summary>
    public Task ListenAsync(Action<string> hint, CancellationToken stop) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_caller is { } old) await old.DisposeAsync().ConfigureAwait(false);
        _caller = null;
    }
}
