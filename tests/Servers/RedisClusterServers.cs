// How does a test get a Redis Cluster of its own, and change it while it runs?
using System.Diagnostics;
using System.Globalization;

namespace KeyEvt.Servers;

/// <summary>
/// Private redis-servers on free ports of 127.0.0.1 that form a cluster, all slots served. A node that dies is failed over after about two
/// seconds. Every change returns once all living nodes agree on it.
/// </summary>
public sealed class RedisClusterServers : IAsyncDisposable
{
    private static readonly TimeSpan Agreement = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ManualFailover = TimeSpan.FromSeconds(6);

    private readonly List<RedisServer> _nodes = [];
    private readonly Dictionary<RedisServer, string> _ids = [];
    private readonly Dictionary<RedisServer, int> _busPorts = [];
    private readonly string[] _lines;

    private RedisClusterServers(string[] lines) => _lines = lines;

    /// <summary>Dead ones too, until they are removed; first the masters of the start, then their replicas in the same order.</summary>
    public IReadOnlyList<RedisServer> Nodes => _nodes;

    /// <summary>Those that answer.</summary>
    public IEnumerable<RedisServer> Living => _nodes.Where(node => !node.Process.HasExited && !node.IsFrozen);

    /// <summary>All nodes of the start as seeds.</summary>
    public string Url => UrlAs("");

    /// <param name="login">"user:password@", or nothing.</param>
    public string UrlAs(string login) => string.Create(
        CultureInfo.InvariantCulture,
        $"redis{(IsTls ? "s" : "")}+cluster://{login}{string.Join(',', _nodes.Select(node => $"127.0.0.1:{node.TlsPort ?? node.Port}"))}");

    private bool IsTls => _lines.Contains("tls-cluster yes");

    /// <param name="lines">Further lines of every node's redis.conf; with "tls-cluster yes" each has a TLS port too, with "requirepass" this class logs in with it.</param>
    public static Task<RedisClusterServers> StartAsync(params string[] lines) => StartAsync(3, 1, lines);

    public static async Task<RedisClusterServers> StartAsync(int masters, int replicasEach, params string[] lines)
    {
        var cluster = new RedisClusterServers(lines);
        try
        {
            await cluster.FormAsync(masters, replicasEach).ConfigureAwait(false);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public string IdOf(RedisServer node) => _ids[node];

    public RedisServer NodeOf(string id) => _nodes.Single(node => _ids[node] == id);

    /// <summary>What a living node (the first, unless one is named) says of all.</summary>
    public async Task<IReadOnlyList<ClusterLine>> LinesAsync(RedisServer? of = null)
        => ClusterLine.ParseAll((await (of ?? Living.First()).CallAsync("CLUSTER", "NODES").ConfigureAwait(false)).Text);

    /// <summary>Waits while there is none: on a busy machine a living node is taken for a failing one for a moment.</summary>
    public async Task<RedisServer> MasterOfAsync(int slot)
        => NodeOf((await SomeAsync($"a master of slot {slot}", line => line.IsMaster && !line.IsFailing && line.Has(slot)).ConfigureAwait(false)).Single().Id);

    public Task<RedisServer> MasterOfAsync(string key) => MasterOfAsync(ClusterSlot.Of(key));

    public async Task<IReadOnlyList<RedisServer>> MastersAsync()
        => [.. (await LinesAsync().ConfigureAwait(false)).Where(line => line.IsMaster && !line.IsFailing && line.Slots.Count > 0).Select(line => NodeOf(line.Id))];

    /// <summary>Waits until there is at least one.</summary>
    public async Task<IReadOnlyList<RedisServer>> ReplicasOfAsync(RedisServer master)
        => [.. (await SomeAsync("a living replica", line => line.MasterId == IdOf(master) && !line.IsFailing).ConfigureAwait(false)).Select(line => NodeOf(line.Id))];

    /// <summary>A command on the master of its key, the first argument; an error reply throws.</summary>
    public async Task<Reply> CallAsync(params string[] arguments)
        => await (await MasterOfAsync(arguments[1]).ConfigureAwait(false)).CallAsync(arguments).ConfigureAwait(false);

    /// <summary>CLUSTER FAILOVER at a replica of this master; returns the new master.</summary>
    public Task<RedisServer> FailoverAsync(RedisServer master) => PromoteAsync(master);

    /// <summary>CLUSTER FAILOVER TAKEOVER: without asking the others.</summary>
    public Task<RedisServer> TakeoverAsync(RedisServer master) => PromoteAsync(master, "TAKEOVER");

    /// <summary>kill -9, without waiting for what the others make of it.</summary>
    public static Task KillAsync(RedisServer node) => node.KillAsync();

    /// <summary>Waits until somebody else serves the slots of a master that is dead or frozen; returns the new one.</summary>
    public async Task<RedisServer> FailedOverAsync(RedisServer dead, int slot)
    {
        var witness = Living.First(node => node != dead);
        var lines = await Eventually.ValueAsync(
            $"a new master of slot {slot}", () => LinesAsync(witness),
            seen => seen.Any(line => line.IsMaster && line.Has(slot) && line.Id != IdOf(dead)), Agreement).ConfigureAwait(false);
        var master = NodeOf(lines.First(line => line.IsMaster && line.Has(slot) && line.Id != IdOf(dead)).Id);
        await ServingAsync(except: dead).ConfigureAwait(false);
        return master;
    }

    /// <summary>Starts a dead node (or a living one anew) on its port, with what it knew of the cluster.</summary>
    public async Task RestartAsync(RedisServer node)
    {
        await node.RestartAsync().ConfigureAwait(false);
        await ServingAsync().ConfigureAwait(false);
    }

    /// <summary>Moves the first so many slots of a master to another, with their keys, slot by slot.</summary>
    public async Task ReshardAsync(RedisServer from, RedisServer to, int count)
    {
        var slots = (await LinesAsync(from).ConfigureAwait(false)).Single(line => line.Id == IdOf(from)).Slots
            .SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1)).Take(count).ToList();
        foreach (var slot in slots)
        {
            await BeginMoveAsync(slot, from, to).ConfigureAwait(false);
            await MoveKeysAsync(slot, from, to).ConfigureAwait(false);
            await EndMoveAsync(slot, to).ConfigureAwait(false);
        }
        await Eventually.TrueAsync("all nodes to know where the slots are", () => AllAgreeAsync(
            lines => slots.TrueForAll(slot => lines.Any(line => line.Id == IdOf(to) && line.Has(slot)))), Agreement).ConfigureAwait(false);
    }

    /// <summary>From here until the end of the move the old master answers ASK for keys that it does not have.</summary>
    public async Task BeginMoveAsync(int slot, RedisServer from, RedisServer to)
    {
        await to.CallAsync("CLUSTER", "SETSLOT", Text(slot), "IMPORTING", IdOf(from)).ConfigureAwait(false);
        await from.CallAsync("CLUSTER", "SETSLOT", Text(slot), "MIGRATING", IdOf(to)).ConfigureAwait(false);
    }

    /// <summary>The keys of a slot that has begun to move.</summary>
    public static async Task MoveKeysAsync(int slot, RedisServer from, RedisServer to)
    {
        await using var client = await from.ConnectAsync().ConfigureAwait(false);
        while (true)
        {
            var keys = (await client.CallAsync("CLUSTER", "GETKEYSINSLOT", Text(slot), "100").ConfigureAwait(false)).Texts;
            if (keys.Count == 0) return;
            string[] migrate = ["MIGRATE", "127.0.0.1", Text(to.Port), "", "0", "5000", "KEYS", .. keys];
            var moved = await Eventually.ValueAsync(
                "a cluster that is up", () => client.CallAsync(migrate), static reply => !reply.IsError || !reply.Text.Contains("CLUSTERDOWN", StringComparison.Ordinal), Agreement).ConfigureAwait(false);
            if (moved.IsError) throw new InvalidOperationException($"MIGRATE: {moved.Text}");
        }
    }

    /// <summary>The new owner first, as redis-cli does: it then announces the slot to everybody.</summary>
    public async Task EndMoveAsync(int slot, RedisServer to)
    {
        await to.CallAsync("CLUSTER", "SETSLOT", Text(slot), "NODE", IdOf(to)).ConfigureAwait(false);
        foreach (var master in (await LinesAsync(to).ConfigureAwait(false)).Where(line => line.IsMaster && !line.IsFailing && line.Id != IdOf(to)))
        {
            var reply = await NodeOf(master.Id).ConnectAndCallAsync("CLUSTER", "SETSLOT", Text(slot), "NODE", IdOf(to)).ConfigureAwait(false);
            if (reply.IsError && !reply.Text.Contains("only with masters", StringComparison.Ordinal)) // who gives its last slot away becomes a replica
            {
                throw new InvalidOperationException($"SETSLOT: {reply.Text}");
            }
        }
    }

    /// <summary>An empty master, or a replica of the given one.</summary>
    public async Task<RedisServer> AddNodeAsync(RedisServer? replicaOf = null)
    {
        var node = await StartNodeAsync().ConfigureAwait(false);
        await MeetAsync(node, Living.First()).ConfigureAwait(false);
        if (replicaOf is not null) await ReplicateAsync(node, replicaOf).ConfigureAwait(false);
        await ServingAsync().ConfigureAwait(false);
        return node;
    }

    /// <summary>A node without slots is forgotten by all, and stopped.</summary>
    public async Task RemoveNodeAsync(RedisServer node)
    {
        await node.KillAsync().ConfigureAwait(false); // a living one would be met again by gossip in the same moment
        foreach (var other in Living) await other.CallAsync("CLUSTER", "FORGET", IdOf(node)).ConfigureAwait(false);
        await Eventually.TrueAsync("all nodes to have forgotten it", () => AllAgreeAsync(lines => lines.All(line => line.Id != IdOf(node))), Agreement).ConfigureAwait(false);
        _nodes.Remove(node);
        await node.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync().ConfigureAwait(false);
    }

    private Task<List<ClusterLine>> SomeAsync(string what, Func<ClusterLine, bool> which) =>
        Eventually.ValueAsync(what, async () => (await LinesAsync().ConfigureAwait(false)).Where(which).ToList(), some => some.Count > 0, Agreement);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task FormAsync(int masters, int replicasEach)
    {
        for (var i = 0; i < masters * (1 + replicasEach); i++) await StartNodeAsync().ConfigureAwait(false);
        for (var i = 0; i < _nodes.Count; i++)
        {
            await _nodes[i].CallAsync("CLUSTER", "SET-CONFIG-EPOCH", Text(i + 1)).ConfigureAwait(false); // equal ones would first have to be sorted out
        }

        for (var i = 0; i < masters; i++)
        {
            var (first, next) = (ClusterSlot.Count * i / masters, ClusterSlot.Count * (i + 1) / masters);
            await _nodes[i].CallAsync("CLUSTER", "ADDSLOTSRANGE", Text(first), Text(next - 1)).ConfigureAwait(false);
        }
        foreach (var node in _nodes.Skip(1)) await MeetAsync(node, _nodes[0]).ConfigureAwait(false);
        await Eventually.TrueAsync("all nodes to know each other", () => AllAgreeAsync(lines => lines.Count == _nodes.Count), Agreement).ConfigureAwait(false);
        for (var i = masters; i < _nodes.Count; i++) await ReplicateAsync(_nodes[i], _nodes[(i - masters) % masters]).ConfigureAwait(false);
        await ServingAsync().ConfigureAwait(false);
    }

    /// <summary>Without migration: a master that gave its last slot away would become the replica of who got it.</summary>
    private async Task<RedisServer> StartNodeAsync()
    {
        var bus = FreePorts.Take();
        var node = await RedisServer.StartAsync(
            ["cluster-enabled yes", $"cluster-port {Text(bus)}", "cluster-node-timeout 1500", "cluster-config-file nodes.conf", "cluster-allow-replica-migration no", "repl-diskless-sync-delay 0", .. IsTls ? [$"tls-port {Text(FreePorts.Take())}"] : Array.Empty<string>(), .. _lines]).ConfigureAwait(false);
        _nodes.Add(node);
        _busPorts[node] = bus;
        _ids[node] = (await node.CallAsync("CLUSTER", "MYID").ConfigureAwait(false)).Text;
        return node;
    }

    private async Task MeetAsync(RedisServer node, RedisServer known)
    {
        await node.CallAsync("CLUSTER", "MEET", "127.0.0.1", Text(known.TlsPort ?? known.Port), Text(_busPorts[known])).ConfigureAwait(false);
        await Eventually.TrueAsync("the nodes to meet", async () => (await LinesAsync(known).ConfigureAwait(false)).Any(line => line.Id == IdOf(node)), Agreement).ConfigureAwait(false);
    }

    private async Task ReplicateAsync(RedisServer node, RedisServer master)
    {
        await Eventually.ValueAsync("the replica to know its master", () => node.ConnectAndCallAsync("CLUSTER", "REPLICATE", IdOf(master)), reply => !reply.IsError, Agreement).ConfigureAwait(false);
        await SaysAsync(node, "master_link_status:up", "INFO", "replication").ConfigureAwait(false);
    }

    private async Task<RedisServer> PromoteAsync(RedisServer master, params string[] how)
    {
        var replica = (await ReplicasOfAsync(master).ConfigureAwait(false))[0];
        Stopwatch? asked = null;
        await Eventually.TrueAsync(
            "all nodes to know the new master",
            async () =>
            {
                // A manual failover that is not done within 5 s (a busy machine, an election lost) is given up by Redis without a word.
                if (asked is null || asked.Elapsed > ManualFailover)
                {
                    await replica.ConnectAndCallAsync(["CLUSTER", "FAILOVER", .. how]).ConfigureAwait(false); // an error: it is the master by now
                    asked = Stopwatch.StartNew();
                }

                return await AllAgreeAsync(lines => lines.Any(line => line.Id == IdOf(replica) && line.IsMaster && line.Slots.Count > 0)).ConfigureAwait(false);
            },
            Agreement).ConfigureAwait(false);
        await ServingAsync().ConfigureAwait(false);
        return replica;
    }

    /// <summary>Every living node knows all others as living, and all slots as served; replicas are in step (one that never was does not stand for election).</summary>
    private async Task ServingAsync(RedisServer? except = null)
    {
        await Eventually.TrueAsync("all nodes to be at peace", () => AllAgreeAsync(lines
            => lines.Count == _nodes.Count
            && lines.Where(line => except is null || line.Id != IdOf(except)).All(line => !line.IsFailing && line.IsConnected && !line.Flags.Contains("handshake"))
            && lines.Where(line => line.IsMaster && !line.IsFailing).Sum(line => line.Slots.Sum(range => range.Last - range.First + 1)) == ClusterSlot.Count), Agreement).ConfigureAwait(false);
        foreach (var node in Living.Where(node => node != except))
        {
            await Eventually.TrueAsync("all nodes to know whose replica it is", () => IsKnownAsync(node), Agreement).ConfigureAwait(false);
            await SaysAsync(node, "cluster_state:ok", "CLUSTER", "INFO").ConfigureAwait(false);
            if ((await node.CallAsync("ROLE").ConfigureAwait(false)).Items[0].Text == "slave")
            {
                await SaysAsync(node, "master_link_status:up", "INFO", "replication").ConfigureAwait(false);
            }
        }
    }

    /// <summary>All say of the node what it says of itself.</summary>
    private async Task<bool> IsKnownAsync(RedisServer node)
    {
        var own = (await LinesAsync(node).ConfigureAwait(false)).Single(line => line.Id == IdOf(node));
        return await AllAgreeAsync(lines => lines.Any(line => line.Id == own.Id && line.MasterId == own.MasterId)).ConfigureAwait(false);
    }

    private static Task SaysAsync(RedisServer node, string what, params string[] question) => Eventually.ValueAsync(
        what, async () => (await node.CallAsync(question).ConfigureAwait(false)).Text, text => text.Contains(what, StringComparison.Ordinal), Agreement);

    private async Task<bool> AllAgreeAsync(Func<IReadOnlyList<ClusterLine>, bool> isSo)
    {
        foreach (var node in Living)
        {
            if (!isSo(await LinesAsync(node).ConfigureAwait(false))) return false;
        }
        return true;
    }
}
