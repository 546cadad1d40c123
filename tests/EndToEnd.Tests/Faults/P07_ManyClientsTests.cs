// Row P07: what happens when very many clients come, or stay silent?
using System.Globalization;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class P07_ManyClientsTests : IAsyncLifetime
{
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task A_storm_of_a_thousand_clients_is_served_and_leaves_nothing_behind()
    {
        await using var program = await StartAsync();
        var clients = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => program.ConnectAsync()));
        for (var round = 0; round < 2; round++)
        {
            await Task.WhenAll(clients.Select(async (client, n) => Assert.Equal($"{n}", (await client.CallAsync("ECHO", $"{n}")).Text)));
            await Eventually.ValueAsync("the number of clients", async () => (await program.InfoAsync())["server.connected_clients"], count => count == "1001");
        }
        foreach (var client in clients) await client.DisposeAsync();
        await Eventually.ValueAsync("all to have left", async () => (await program.InfoAsync())["server.connected_clients"], count => count == "1");
        await Eventually.ValueAsync("their upstream connections to be closed", async () => (await _redis.CallAsync("INFO", "clients")).Text, text => ConnectedClients(text) < 10);
    }

    [Fact]
    public async Task Beyond_max_clients_the_answer_is_redis_own_and_a_free_place_is_taken()
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
    public async Task A_silent_client_is_closed_after_the_idle_timeout_and_a_busy_one_is_not()
    {
        await using var program = await StartAsync("--idle-timeout", "4");
        await using var idle = await program.ConnectAsync();
        await using var busy = await program.ConnectAsync();
        // This client sends commands and gets no replies.
        await using var asking = await program.ConnectAsync();
        // This client gets messages and sends nothing.
        await using var listening = await program.ConnectAsync();
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
        for (var n = 1; n <= published; n++) Assert.Equal(["message", "news", $"{n}"], (await listening.ReadReplyAsync()).Texts);
    }

    private Task<KeyEvtProcess> StartAsync(params string[] options)
        => KeyEvtProcess.StartAsync(["--upstream", _redis.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/", .. options]);

    private static int ConnectedClients(string info)
        => int.Parse(info.Split("\r\n").First(line => line.StartsWith("connected_clients:", StringComparison.Ordinal)).Split(':')[1], CultureInfo.InvariantCulture);
}
