// FAULTS P7 and P8: what happens when very many clients come, or more than there are descriptors for?
using System.Globalization;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class P7P8Tests : IAsyncLifetime
{
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task P7_a_storm_of_a_thousand_clients_is_served_and_leaves_nothing_behind()
    {
        await using var program = await StartAsync();
        var clients = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => program.ConnectAsync()));
        for (var round = 0; round < 2; round++)
        {
            await Task.WhenAll(clients.Select(async (client, n) => Assert.Equal($"{n}", (await client.CallAsync("ECHO", $"{n}")).Text)));
            Assert.Equal("1001", (await program.InfoAsync())["server.connected_clients"]);
        }
        foreach (var client in clients)
            await client.DisposeAsync();
        await Eventually.ValueAsync("all to have left", async () => (await program.InfoAsync())["server.connected_clients"], count => count == "1");
        await Eventually.ValueAsync("their upstream connections to be closed", async () => (await _redis.CallAsync("INFO", "clients")).Text, text => ConnectedClients(text) < 10);
    }

    [Fact]
    public async Task P7_beyond_max_clients_the_answer_is_redis_own_and_a_free_place_is_taken()
    {
        await using var limited = await RedisServer.StartAsync("maxclients 1");
        await using var program = await StartAsync("--max-clients", "2");
        await using var straight = await limited.ConnectAsync();
        await using var refusedByRedis = await limited.ConnectAsync();
        var words = await refusedByRedis.ReadTextToEndAsync();
        await using (var first = await program.ConnectAsync())
        await using (var second = await program.ConnectAsync())
        {
            Assert.Equal("PONG", (await first.CallAsync("PING")).Text);
            Assert.Equal("PONG", (await second.CallAsync("PING")).Text);
            for (var i = 0; i < 100; i++)
            {
                await using var third = await program.ConnectAsync();
                await third.SendAsync("PING\r\n");
                Assert.Equal(words, await third.ReadTextToEndAsync());
            }
            Assert.Equal("PONG", (await first.CallAsync("PING")).Text);
        }
        await Eventually.TrueAsync("a place to be free", async () => (await program.CallAsync("PING")).Text == "PONG");
        Assert.Equal("2", (await program.InfoAsync())["server.maxclients"]);
        Assert.Equal(1, program.Process.ErrorLines.Count(line => line.Contains("as many as --max-clients allows", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task P7_a_silent_client_is_closed_after_the_idle_timeout_and_a_busy_one_is_not()
    {
        await using var program = await StartAsync("--idle-timeout", "2");
        await using var idle = await program.ConnectAsync();
        await using var busy = await program.ConnectAsync();
        Assert.Equal("PONG", (await idle.CallAsync("PING")).Text);
        var end = idle.ReadTextToEndAsync(TimeSpan.FromSeconds(10));
        await Eventually.TrueAsync("the idle client's end", async () => (await busy.CallAsync("PING")).Text == "PONG" && end.IsCompleted);
        Assert.Equal("", await end);
        Assert.Equal("PONG", (await busy.CallAsync("PING")).Text);
    }

    [Fact]
    public async Task P8_without_descriptors_accepting_pauses_the_connected_are_served_on_and_it_recovers()
    {
        await using var program = await StartAsync();
        // Once of each, so that the program has loaded all it needs: what is tried here is sockets.
        await program.InfoAsync();
        await using var before = await program.ConnectAsync();
        Assert.Equal("PONG", (await before.CallAsync("PING")).Text);
        var highest = Directory.GetFileSystemEntries($"/proc/{program.Process.Id}/fd").Max(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));
        await PrlimitAsync(program, highest + 12);

        var flood = new List<RespClient>();
        for (var i = 0; i < 40; i++)
        {
            flood.Add(await program.ConnectAsync());
            await flood[^1].SendAsync("PING\r\n");
        }
        await Eventually.TrueAsync("it to say that it pauses", () => program.Process.AllText.Contains("pauses: ", StringComparison.Ordinal));
        var cpu = program.Process.CpuTime;
        try { for (var i = 0; i < 1000; i++) Assert.Equal("PONG", (await before.CallAsync("PING")).Text); } catch (Exception e) { throw new InvalidOperationException(program.Process.Tail(100), e); }
        await Eventually.HoldsAsync("the connected are served", async () => (await before.CallAsync("PING")).Text == "PONG", TimeSpan.FromSeconds(1));
        Assert.False(program.Process.HasExited, program.Process.Tail(20));
        Assert.True(program.Process.CpuTime - cpu < TimeSpan.FromSeconds(2.5), "it spins");

        foreach (var client in flood)
            await client.DisposeAsync();
        await Eventually.TrueAsync("a new client to be served", async () => (await program.CallAsync("PING")).Text == "PONG", TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync("it to say that it goes on", () => program.Process.AllText.Contains("goes on", StringComparison.Ordinal));
        Assert.Equal(0, await program.StopAsync());
    }

    [Fact]
    public async Task P8_a_small_limit_of_open_files_lowers_max_clients_so_that_it_is_never_reached()
    {
        var port = FreePorts.Take();
        using var program = ChildProcess.Start("prlimit", ["--nofile=600", "dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "keyevt.dll"), "--upstream", _redis.Url, "--listen", $"127.0.0.1:{port}", "--admin", "off"]);
        await program.LineAsync("that it listens", line => line.StartsWith("listening on", StringComparison.Ordinal));
        Assert.Contains("--max-clients 10000 needs", program.AllText, StringComparison.Ordinal);

        var clients = await Task.WhenAll(Enumerable.Range(0, 400).Select(_ => RespClient.ConnectAsync(port)));
        var answers = await Task.WhenAll(clients.Select(async client => (await client.CallAsync("PING")).Text));
        Assert.Equal(["ERR max number of clients reached", "PONG"], answers.Distinct().Order());
        Assert.True(answers.Count(answer => answer == "PONG") >= 50, $"{answers.Count(answer => answer == "PONG")} were let in");
        Assert.DoesNotContain("pauses: ", program.AllText, StringComparison.Ordinal);
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    private Task<KeyEvtProcess> StartAsync(params string[] options)
        => KeyEvtProcess.StartAsync(["--upstream", _redis.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/", .. options]);

    /// <summary>The soft limit alone, which may be raised again.</summary>
    private static async Task PrlimitAsync(KeyEvtProcess program, int files)
    {
        var result = await Run.ToEndAsync("prlimit", ["--pid", program.Process.Id.ToString(CultureInfo.InvariantCulture), $"--nofile={files}:"]);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    private static int ConnectedClients(string info)
        => int.Parse(info.Split("\r\n").First(line => line.StartsWith("connected_clients:", StringComparison.Ordinal)).Split(':')[1], CultureInfo.InvariantCulture);
}
