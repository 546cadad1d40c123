// How does a test get a Redis with replicas and Sentinels of its own?
using System.Globalization;

namespace KeyEvt.Servers;

/// <summary>One master, its replicas, and three Sentinels that agree (quorum 2), on free ports of 127.0.0.1. A master that dies is failed over after about two seconds.</summary>
public sealed class SentinelServers : IAsyncDisposable
{
    public const string Name = "mymaster";

    private readonly List<RedisServer> _nodes = [];
    private readonly List<(int Port, int? TlsPort, ChildProcess Process, PrivateFolder Folder)> _sentinels = [];

    private readonly string[] _lines;
    private readonly string[] _sentinelLines;

    private SentinelServers(string[] lines, string[] sentinelLines) => (_lines, _sentinelLines) = (lines, sentinelLines);

    /// <summary>The master of the start first.</summary>
    public IReadOnlyList<RedisServer> Nodes => _nodes;

    public IReadOnlyList<int> SentinelPorts => [.. _sentinels.Select(one => one.Port)];

    public string Url => UrlAs("");

    /// <param name="login">"user:password@", or nothing.</param>
    public string UrlAs(string login) => string.Create(
        CultureInfo.InvariantCulture,
        $"redis{(IsTls ? "s" : "")}+sentinel://{login}{string.Join(',', _sentinels.Select(one => $"127.0.0.1:{one.TlsPort ?? one.Port}"))}/{Name}");

    private bool IsTls => _lines.Contains("tls-replication yes");

    private string? SentinelPassword => RedisServer.Word(_sentinelLines, "requirepass");

    /// <param name="lines">Further lines of every node's redis.conf.</param>
    public static Task<SentinelServers> StartAsync(params string[] lines) => StartAsync(lines, []);

    /// <param name="lines">With "requirepass", the Sentinels and this class log in with it; with "tls-replication yes" everybody has a TLS port too, and speaks TLS to the others.</param>
    /// <param name="sentinelLines">Further lines of every sentinel.conf; with "requirepass", this class logs in with it.</param>
    public static async Task<SentinelServers> StartAsync(string[] lines, string[] sentinelLines)
    {
        var servers = new SentinelServers(lines, sentinelLines);
        try
        {
            servers._nodes.Add(await servers.StartNodeAsync().ConfigureAwait(false));
            for (var i = 0; i < 2; i++)
            {
                servers._nodes.Add(await servers.StartNodeAsync($"replicaof 127.0.0.1 {Announced(servers._nodes[0])}").ConfigureAwait(false));
            }

            foreach (var replica in servers._nodes.Skip(1))
            {
                await SaysAsync(replica.Port, replica.Password, "master_link_status:up", "INFO", "replication").ConfigureAwait(false);
            }

            for (var i = 0; i < 3; i++) await servers.StartSentinelAsync().ConfigureAwait(false);
            foreach (var port in servers.SentinelPorts)
            {
                await SaysAsync(port, servers.SentinelPassword, "status=ok,address=127.0.0.1:" + Text(Announced(servers._nodes[0])) + ",slaves=2,sentinels=3", "INFO", "sentinel").ConfigureAwait(false);
            }

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
        await using var sentinel = await RedisServer.ConnectAsync(SentinelPorts[0], SentinelPassword).ConfigureAwait(false);
        var address = (await sentinel.CallAsync("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Name).ConfigureAwait(false)).Texts;
        var node = _nodes.Single(one => Text(Announced(one)) == address[1]);
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
        await using var sentinel = await RedisServer.ConnectAsync(SentinelPorts[0], SentinelPassword).ConfigureAwait(false);
        await Eventually.ValueAsync("the Sentinel to agree", () => sentinel.CallAsync("SENTINEL", "FAILOVER", Name), reply => !reply.IsError, TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        return await FailedOverAsync(old).ConfigureAwait(false);
    }

    /// <summary>SENTINEL SET at each of them.</summary>
    public async Task SetAsync(string option, string value)
    {
        foreach (var port in SentinelPorts)
        {
            await using var sentinel = await RedisServer.ConnectAsync(port, SentinelPassword).ConfigureAwait(false);
            var reply = await sentinel.CallAsync("SENTINEL", "SET", Name, option, value).ConfigureAwait(false);
            if (reply.IsError) throw new InvalidOperationException($"SENTINEL SET: {reply.Text}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, _, process, folder) in _sentinels)
        {
            process.Dispose();
            folder.Dispose();
        }

        foreach (var node in _nodes) await node.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Under which port it is known to the others.</summary>
    private static int Announced(RedisServer node) => node.TlsPort ?? node.Port;

    private Task<RedisServer> StartNodeAsync(params string[] first) =>
        RedisServer.StartAsync(["repl-diskless-sync-delay 0", .. first, .. IsTls ? [$"tls-port {Text(FreePorts.Take())}"] : Array.Empty<string>(), .. _lines]);

    private async Task StartSentinelAsync()
    {
        int? tlsPort = IsTls ? FreePorts.Take() : null;
        string[] further =
        [
            .. _lines.Where(line => line.StartsWith("tls-", StringComparison.Ordinal)), .. tlsPort is { } secure ? [$"tls-port {Text(secure)}"] : Array.Empty<string>(),
            .. _nodes[0].Password is { } password ? [$"sentinel auth-pass {Name} {password}"] : Array.Empty<string>(), .. _sentinelLines,
        ];
        var folder = new PrivateFolder("sentinel");
        var port = FreePorts.Take();
        var file = folder.Write("sentinel.conf", string.Create(
            CultureInfo.InvariantCulture,
            $"port {port}\nbind 127.0.0.1\ndir {folder.Path}\nsentinel monitor {Name} 127.0.0.1 {Announced(_nodes[0])} 2\nsentinel down-after-milliseconds {Name} 1000\nsentinel failover-timeout {Name} 6000\nsentinel parallel-syncs {Name} 2\n{string.Join('\n', further)}\n"));
        var process = ChildProcess.Start(ServerPrograms.RedisServer, [file, "--sentinel"], folder.Path);
        _sentinels.Add((port, tlsPort, process, folder));
        await process.LineAsync("that it watches", line => line.Contains("+monitor", StringComparison.Ordinal)).ConfigureAwait(false);
    }

    private static Task SaysAsync(int port, string? password, string what, params string[] question) => Eventually.ValueAsync(
        what,
        async () =>
        {
            await using var client = await RedisServer.ConnectAsync(port, password).ConfigureAwait(false);
            return (await client.CallAsync(question).ConfigureAwait(false)).Text;
        },
        text => text.Contains(what, StringComparison.Ordinal),
        TimeSpan.FromSeconds(30));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
