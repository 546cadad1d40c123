// Row R01: what do clients see when Redis is killed and comes back?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class R01_RedisKilledClientsTests
{
    private static readonly string[] NoBroker = ["--amqp", "amqp://guest:guest@127.0.0.1:1/"];

    [Fact]
    public async Task A_killed_redis_closes_every_kind_of_client_as_it_would_without_the_proxy_and_all_is_well_after_its_restart()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, .. NoBroker, "--keymask", "ALL", "--events", "KA"]);
        var through = await ClientsAsync(program.Port);
        var straight = await ClientsAsync(redis.Port);
        await redis.KillAsync();
        for (var i = 0; i < through.Count; i++) Assert.Equal(await straight[i].ReadTextToEndAsync(), await through[i].ReadTextToEndAsync());
        foreach (var client in through.Concat(straight)) await client.DisposeAsync();

        await Eventually.TrueAsync("clients to be refused, as by Redis", () => ConnectAttempts.IsRefusedAsync(program));
        await Eventually.ValueAsync("not ready", () => program.GetAsync("/readyz"), answer => answer.Status == System.Net.HttpStatusCode.ServiceUnavailable);

        await redis.RestartAsync();
        await Eventually.ValueAsync("clients to be let in again", () => program.CallAsync("PING"), answer => answer.Text == "PONG");
        await program.ReadyAsync();
        Assert.Equal("AE", (await redis.CallAsync("CONFIG", "GET", "notify-keyspace-events")).Items[1].Text);
        Assert.Contains(await program.InfoAsync(), field => field.Key.StartsWith("gaps.", StringComparison.Ordinal) && field.Value.Contains("cause=connection_lost", StringComparison.Ordinal));
    }

    /// <summary>Opens five clients: one idle, one in a transaction, one blocked, one subscribed, and one that has sent half a request.</summary>
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
