using System.Globalization;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Topology;

/// <summary>What do the Sentinels say: who is the master, and who are its replicas?</summary>
/// <remarks>
/// The Sentinel that answered last is asked first. If it does not answer, the others are asked: those of the address and those that Sentinels have
/// named. The answer is only a hint for the feeds: a node's events are forwarded once the node itself says that it is a master. A Sentinel that was
/// away for long may give an old answer, so the answer with the highest config-epoch counts
/// (redis.io/docs/latest/operate/oss_and_stack/management/sentinel, sentinel.c).
/// </remarks>
internal sealed class SentinelFinder(UpstreamAddress upstream, IRedisTransport transport, TimeProvider time) : INodeFinder
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    /// <summary>Guards <see cref="_sentinels"/>, which two loops use: <see cref="FindAsync"/> and <see cref="ListenAsync"/>.</summary>
    private readonly Lock _gate = new();
    private List<RedisAddress> _sentinels = [.. upstream.Seeds];
    private RedisClient? _caller;
    private long _epoch = -1;

    /// <summary>Written by <see cref="ListenAsync"/> only; read from any thread. The other fields belong to <see cref="FindAsync"/>.</summary>
    private volatile string? _deafness;

    public string? Deafness => _deafness;

    public async Task<IReadOnlyList<TopologyNode>> FindAsync()
    {
        var faults = new List<string>();
        foreach (var sentinel in Known())
        {
            try
            {
                _caller ??= await RedisClient.OpenAsync(sentinel, transport, Deadline, time).ConfigureAwait(false);
                var (nodes, epoch) = await AskAsync(_caller, sentinel).ConfigureAwait(false);
                if (epoch < _epoch) throw new IOException("it tells of an older state than another one did");

                _epoch = epoch;
                ToFront(sentinel);
                return nodes;
            }
            catch (IOException e)
            {
                faults.Add($"{sentinel}: {e.Message}");
                await CloseAsync().ConfigureAwait(false);
            }
        }

        throw new IOException($"no Sentinel tells who '{upstream.MasterName}' is: {string.Join("; ", faults.Take(3))}");
    }

    /// <summary>Subscribes to one Sentinel at a time. What it announces while it is unreachable is found by the next look.</summary>
    public async Task ListenAsync(Action<string> hint, CancellationToken stop)
    {
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            var known = Known();
            var sentinel = known[turn % known.Count];
            try
            {
                await using var caller = await RedisClient.OpenAsync(sentinel, transport, Deadline, time).ConfigureAwait(false);
                var answer = await caller.AskAsync("PSUBSCRIBE", "+*").ConfigureAwait(false);
                _deafness = answer.IsError ? $"{sentinel}: {Refusals.Of(answer, "+psubscribe &*").Message}" : null;
                while (!answer.IsError)
                {
                    if (await caller.ListenAsync(TimeSpan.FromSeconds(30), stop).ConfigureAwait(false) is not { } message)
                    {
                        await caller.AskAsync("PING").ConfigureAwait(false);
                    }
                    else if (message.Items is [_, _, var channel, ..] && channel.Text is "+switch-master" or "+sdown" or "+odown" or "-odown" or "+slave" or "+promoted-slave" or "+failover-end")
                    {
                        hint($"Sentinel says {channel.Text}");
                    }
                }
            }
            catch (IOException)
            {
                // The watcher goes on polling without announcements.
            }

            await Task.Delay(Deadline, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    private async Task<(IReadOnlyList<TopologyNode> Nodes, long Epoch)> AskAsync(RedisClient caller, RedisAddress sentinel)
    {
        var master = await MasterAsync(caller).ConfigureAwait(false);
        var replicas = await caller.AskAsync("SENTINEL", "REPLICAS", upstream.MasterName).ConfigureAwait(false);
        // An answer without the replicas is refused: nobody would listen to the replica that is promoted next.
        if (Refusals.IsOne(replicas)) throw Refusals.Of(replicas, "+sentinel|replicas");
        if (replicas.IsError) // before Redis 5
        {
            replicas = await caller.AskAsync("SENTINEL", "SLAVES", upstream.MasterName).ConfigureAwait(false);
        }

        if (replicas.IsError) throw Refusals.Of(replicas, "+sentinel|replicas");
        // If the master changed between the two answers, the new master could be in neither of them, and its feed would be ended.
        if (PlaceOf(await MasterAsync(caller).ConfigureAwait(false)) != PlaceOf(master))
        {
            return await AskAsync(caller, sentinel).ConfigureAwait(false);
        }

        Learn(await caller.AskAsync("SENTINEL", "SENTINELS", upstream.MasterName).ConfigureAwait(false), sentinel);
        return (SentinelReply.Nodes(upstream, master, replicas, sentinel.Host), SentinelReply.Epoch(master));
    }

    private async Task<RedisAnswer> MasterAsync(RedisClient caller)
    {
        var master = await caller.AskAsync("SENTINEL", "MASTER", upstream.MasterName).ConfigureAwait(false);
        return master.IsError ? throw Refusals.Of(master, "+sentinel|master") : master;
    }

    private static (string? Host, string? Port) PlaceOf(RedisAnswer master) => (master.Find("ip"), master.Find("port"));

    private void Learn(RedisAnswer sentinels, RedisAddress asked)
    {
        foreach (var one in sentinels.Items)
        {
            if (one.Find("ip") is not { Length: > 0 } host || !int.TryParse(one.Find("port"), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            {
                continue;
            }

            var address = asked with { Host = host, Port = port };
            lock (_gate)
            {
                if (!_sentinels.Contains(address) && _sentinels.Count < 32) _sentinels.Add(address);
            }
        }
    }

    private List<RedisAddress> Known()
    {
        lock (_gate) return [.. _sentinels];
    }

    private void ToFront(RedisAddress sentinel)
    {
        lock (_gate) _sentinels = [sentinel, .. _sentinels.Where(one => one != sentinel)];
    }

    private async Task CloseAsync()
    {
        if (_caller is { } caller) await caller.DisposeAsync().ConfigureAwait(false);
        _caller = null;
    }
}
