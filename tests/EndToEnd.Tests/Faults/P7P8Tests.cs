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
            await Eventually.ValueAsync("the number of clients", async () => (await program.InfoAsync())["server.connected_clients"], count => count == "1001");
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
        await program.Process.SaysAsync("as many as --max-clients allows");
        Assert.Equal(1, program.Process.ErrorLines.Count(line => line.Contains("as many as --max-clients allows", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task P7_a_silent_client_is_closed_after_the_idle_timeout_and_a_busy_one_is_not()
    {
        await using var program = await StartAsync("--idle-timeout", "4");
        await using var idle = await program.ConnectAsync();
        await using var busy = await program.ConnectAsync();
        await using var asking = await program.ConnectAsync(); // and gets nothing
        await using var listening = await program.ConnectAsync(); // and asks nothing
        await asking.SendCommandAsync("CLIENT", "REPLY", "OFF");
        Assert.Equal("subscribe", (await listening.CallAsync("SUBSCRIBE", "news")).Items[0].Text);
        Assert.Equal("PONG", (await idle.CallAsync("PING")).Text);
        var end = idle.ReadTextToEndAsync(TimeSpan.FromSeconds(30));
        var published = 0;
        await Eventually.TrueAsync("the idle client's end", async () =>
        {
            await asking.SendCommandAsync("INCR", "asked");
            Assert.Equal(1, (await busy.CallAsync("PUBLISH", "news", $"{++published}")).Integer);
            return end.IsCompleted;
        });
        Assert.Equal("", await end);
        await asking.SendCommandAsync("CLIENT", "REPLY", "ON");
        Assert.Equal("OK", (await asking.ReadReplyAsync()).Text);
        for (var n = 1; n <= published; n++)
            Assert.Equal(["message", "news", $"{n}"], (await listening.ReadReplyAsync()).Texts);
    }

    // With 64, as little as the catalogue asks for, only a program that is compiled ahead starts at all: the runtime holds two for each library.
    [Fact]
    public async Task P8_with_few_descriptors_the_connected_are_served_on_further_clients_are_told_so_and_it_recovers()
    {
        var port = FreePorts.Take();
        using var program = ChildProcess.Start(
            "prlimit", ["--nofile=600", "dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "keyevt.dll"), "--upstream", _redis.Url, "--listen", $"127.0.0.1:{port}", "--admin", "off"]);
        await program.LineAsync("that it listens", line => line.StartsWith("listening on", StringComparison.Ordinal));
        await program.SaysAsync("--max-clients 10000 needs");
        await using var before = await RespClient.ConnectAsync(port);
        Assert.Equal("PONG", (await before.CallAsync("PING")).Text);

        for (var round = 0; round < 3; round++)
        {
            var clients = await Task.WhenAll(Enumerable.Range(0, 600).Select(_ => RespClient.ConnectAsync(port)));
            var answers = await Task.WhenAll(clients.Select(async client => (await client.CallAsync("PING")).Text));
            Assert.Equal(["ERR max number of clients reached", "PONG"], answers.Distinct().Order());
            Assert.True(answers.Count(answer => answer == "PONG") >= 50, $"{answers.Count(answer => answer == "PONG")} were let in");
            Assert.Equal("PONG", (await before.CallAsync("PING")).Text);
            foreach (var client in clients)
                await client.DisposeAsync();
            await Eventually.TrueAsync("a new client to be served", async () =>
            {
                await using var after = await RespClient.ConnectAsync(port);
                return (await after.CallAsync("PING")).Text == "PONG";
            });
        }
        Assert.DoesNotContain("Accepting on", program.AllText, StringComparison.Ordinal); // it never ran into the descriptors that are kept back
        program.Signal(ChildProcess.SigTerm);
        Assert.Equal(0, await program.ExitAsync(TimeSpan.FromSeconds(12)));
    }

    private Task<KeyEvtProcess> StartAsync(params string[] options)
        => KeyEvtProcess.StartAsync(["--upstream", _redis.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/", .. options]);

    private static int ConnectedClients(string info)
        => int.Parse(info.Split("\r\n").First(line => line.StartsWith("connected_clients:", StringComparison.Ordinal)).Split(':')[1], CultureInfo.InvariantCulture);
}
