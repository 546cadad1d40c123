// FAULTS R1 and P9: what do clients see when Redis goes, comes back, refuses, or swallows the connect?
using System.Diagnostics;
using System.Net.NetworkInformation;
using KeyEvt.EndToEnd.Tests.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R1P9Tests
{
    private static readonly string[] NoBroker = ["--amqp", "amqp://guest:guest@127.0.0.1:1/"];

    [Fact]
    public async Task R1_a_killed_redis_closes_every_kind_of_client_as_it_would_without_the_proxy_and_all_is_well_after_its_restart()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, .. NoBroker, "--keymask", "ALL", "--events", "KA"]);
        var through = await ClientsAsync(program.Port);
        var straight = await ClientsAsync(redis.Port);
        await redis.KillAsync();
        for (var i = 0; i < through.Count; i++)
            Assert.Equal(await straight[i].ReadTextToEndAsync(), await through[i].ReadTextToEndAsync());
        foreach (var client in through.Concat(straight))
            await client.DisposeAsync();

        await using (var meanwhile = await program.ConnectAsync())
            Assert.Matches("^-ERR keyevt: upstream 127.0.0.1:[0-9]+ cannot be reached: [^\r\n]+\r\n$", await meanwhile.ReadTextToEndAsync());
        await Eventually.ValueAsync("not ready", () => program.GetAsync("/readyz"), answer => answer.Status == System.Net.HttpStatusCode.ServiceUnavailable);

        await redis.RestartAsync();
        Assert.Equal("PONG", (await program.CallAsync("PING")).Text);
        await program.ReadyAsync();
        Assert.Equal("AE", (await redis.CallAsync("CONFIG", "GET", "notify-keyspace-events")).Items[1].Text);
        Assert.Contains(await program.InfoAsync(), field => field.Key.StartsWith("gaps.", StringComparison.Ordinal) && field.Value.Contains("cause=connection_lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task P9_an_upstream_that_refuses_gives_one_error_line_and_the_end()
    {
        var port = FreePorts.Take();
        await using var program = await StartAsync($"redis://127.0.0.1:{port}");
        await using var client = await program.ConnectAsync();
        await client.SendAsync("PING\r\nPING\r\n");
        Assert.Equal($"-ERR keyevt: upstream 127.0.0.1:{port} cannot be reached: Connection refused\r\n", await client.ReadTextToEndAsync());
    }

    [Fact]
    public async Task P9_an_upstream_that_swallows_the_connect_gives_one_error_line_within_the_deadline()
    {
        await using var hole = await BlackHole.OpenAsync();
        await using var program = await StartAsync($"redis://127.0.0.1:{hole.Port}");
        await OneErrorAsync(program, $"-ERR keyevt: upstream 127.0.0.1:{hole.Port} cannot be reached: no answer within 1.5 s\r\n");
    }

    [Fact]
    public async Task P9_an_upstream_that_swallows_the_handshake_gives_one_error_line_within_the_deadline()
    {
        await using var relay = new Relay(FreePorts.Take()) { Swallow = true };
        await using var program = await StartAsync($"rediss://127.0.0.1:{relay.Port}");
        await OneErrorAsync(program, $"-ERR keyevt: upstream rediss://127.0.0.1:{relay.Port} cannot be reached: there is no answer to the TLS handshake in time: is it the port without TLS?\r\n");
    }

    [Fact]
    public async Task P9_a_client_that_leaves_meanwhile_costs_nothing_more()
    {
        await using var hole = await BlackHole.OpenAsync();
        await using var program = await StartAsync($"redis://127.0.0.1:{hole.Port}");
        for (var i = 0; i < 20; i++)
        {
            await using var client = await program.ConnectAsync();
            await client.SendAsync("PING\r\n");
        }
        await Eventually.ValueAsync("all of them to be over", () => Task.FromResult(Connected(program.Port)), count => count == 0);
        await OneErrorAsync(program, $"-ERR keyevt: upstream 127.0.0.1:{hole.Port} cannot be reached: no answer within 1.5 s\r\n");
    }

    /// <summary>Sockets of this machine that are connected to the port, in whatever state.</summary>
    private static int Connected(int port)
        => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections().Count(connection => connection.LocalEndPoint.Port == port && connection.State != TcpState.TimeWait);

    private static Task<KeyEvtProcess> StartAsync(string upstream)
        => KeyEvtProcess.StartAsync(["--upstream", upstream, .. NoBroker, "--connect-timeout", "1.5"], waitReady: false);

    private static async Task OneErrorAsync(KeyEvtProcess program, string line)
    {
        await using var client = await program.ConnectAsync();
        await client.SendAsync("PING\r\nPING\r\n");
        var clock = Stopwatch.StartNew();
        Assert.Equal(line, await client.ReadTextToEndAsync());
        Assert.InRange(clock.Elapsed.TotalSeconds, 1, 8);
    }

    /// <summary>Idle, in the middle of a transaction, blocked, subscribed, and one with half a request sent.</summary>
    private static async Task<List<RespClient>> ClientsAsync(int port)
    {
        var clients = new List<RespClient>();
        foreach (var words in new[] { "PING\r\n", "MULTI\r\nSET a 1\r\n", "PING\r\nBLPOP nothing 0\r\n", "SUBSCRIBE channel\r\n", "PING\r\n*2\r\n$3\r\nGET\r\n$100\r\nxx" })
        {
            var client = await RespClient.ConnectAsync(port);
            await client.SendAsync(words);
            await client.ReadReplyAsync();
            clients.Add(client);
        }
        return clients;
    }
}
