// How does a test get a Redis with replicas and Sentinels of its own?
using System.Globalization;

namespace KeyEvt.Servers;

/// <summary>One master, its replicas, and three Sentinels that agree (quorum 2), on free ports of 127.0.0.1. A master that dies is failed over after about two seconds.</summary>
public sealed class SentinelServers : IAsyncDisposable
{
    public const string Name = "mymaster";

    private readonly List<RedisServer> _nodes = [];
    private readonly List<(int Port, ChildProcess Process, PrivateFolder Folder)> _sentinels = [];

    private SentinelServers()
    {
    }

    /// <summary>The master of the start first.</summary>
    public IReadOnlyList<RedisServer> Nodes => _nodes;

    public IReadOnlyList<int> SentinelPorts => [.. _sentinels.Select(one => one.Port)];

    public string Url => string.Create(CultureInfo.InvariantCulture, $"redis+sentinel://{string.Join(',', SentinelPorts.Select(port => $"127.0.0.1:{port}"))}/{Name}");

    /// <param name="lines">Further lines of every node's redis.conf.</param>
    public static async Task<SentinelServers> StartAsync(params string[] lines)
    {
        var servers = new SentinelServers();
        try
        {
            servers._nodes.Add(await RedisServer.StartAsync(["repl-diskless-sync-delay 0", .. lines]).ConfigureAwait(false));
            for (var i = 0; i < 2; i++)
                servers._nodes.Add(await RedisServer.StartAsync(["repl-diskless-sync-delay 0", $"replicaof 127.0.0.1 {servers._nodes[0].Port}", .. lines]).ConfigureAwait(false));
            foreach (var replica in servers._nodes.Skip(1))
                await SaysAsync(replica.Port, "master_link_status:up", "INFO", "replication").ConfigureAwait(false);
            for (var i = 0; i < 3; i++)
                await servers.StartSentinelAsync().ConfigureAwait(false);
            foreach (var port in servers.SentinelPorts)
                await SaysAsync(port, "status=ok,address=127.0.0.1:" + Text(servers._nodes[0].Port) + ",slaves=2,sentinels=3", "INFO", "sentinel").ConfigureAwait(false);
            return servers;
        }
        catch
        {
            await servers.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The node that says of itself that it is a master, and that a Sentinel says so of; null while there is none.</summary>
    public async Task<RedisServer?> MasterAsync()
    {
        await using var sentinel = await RespClient.ConnectAsync(SentinelPorts[0]).ConfigureAwait(false);
        var address = (await sentinel.CallAsync("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Name).ConfigureAwait(false)).Texts;
        var node = _nodes.Single(one => Text(one.Port) == address[1]);
        return !node.Process.HasExited && await RoleAsync(node).ConfigureAwait(false) == "master" ? node : null;
    }

    public static async Task<string> RoleAsync(RedisServer node) => (await node.CallAsync("ROLE").ConfigureAwait(false)).Items[0].Text;

    /// <summary>Waits for a master other than this one.</summary>
    public async Task<RedisServer> FailedOverAsync(RedisServer old) =>
        (await Eventually.ValueAsync("another master", MasterAsync, node => node is not null && node != old, TimeSpan.FromSeconds(30)).ConfigureAwait(false))!;

    /// <summary>SENTINEL FAILOVER: the master lives on as a replica.</summary>
    public async Task<RedisServer> FailoverAsync()
    {
        var old = (await MasterAsync().ConfigureAwait(false))!;
        await using var sentinel = await RespClient.ConnectAsync(SentinelPorts[0]).ConfigureAwait(false);
        await Eventually.ValueAsync("the Sentinel to agree", () => sentinel.CallAsync("SENTINEL", "FAILOVER", Name), reply => !reply.IsError, TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        return await FailedOverAsync(old).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, process, folder) in _sentinels)
        {
            process.Dispose();
            folder.Dispose();
        }

        foreach (var node in _nodes)
            await node.DisposeAsync().ConfigureAwait(false);
    }

    private async Task StartSentinelAsync()
    {
        var folder = new PrivateFolder("sentinel");
        var port = FreePorts.Take();
        var file = folder.Write("sentinel.conf", string.Create(
            CultureInfo.InvariantCulture,
            $"port {port}\nbind 127.0.0.1\ndir {folder.Path}\nsentinel monitor {Name} 127.0.0.1 {_nodes[0].Port} 2\nsentinel down-after-milliseconds {Name} 1000\nsentinel failover-timeout {Name} 6000\nsentinel parallel-syncs {Name} 2\n"));
        var process = ChildProcess.Start("redis-server", [file, "--sentinel"], folder.Path);
        _sentinels.Add((port, process, folder));
        await process.LineAsync("that it watches", line => line.Contains("+monitor", StringComparison.Ordinal)).ConfigureAwait(false);
    }

    private static Task SaysAsync(int port, string what, params string[] question) => Eventually.ValueAsync(
        what,
        async () =>
        {
            await using var client = await RespClient.ConnectAsync(port).ConfigureAwait(false);
            return (await client.CallAsync(question).ConfigureAwait(false)).Text;
        },
        text => text.Contains(what, StringComparison.Ordinal),
        TimeSpan.FromSeconds(30));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
