// Is nothing forwarded from a node as long as it is a replica?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

[Trait("Against", "every-redis")]
public sealed class RoleTests(SharedBroker broker)
{
    [Fact]
    public async Task A_node_turned_replica_while_running_is_held_back_and_forwarded_from_again_as_master()
    {
        await using var other = await RedisServer.StartAsync("repl-diskless-sync-delay 0");
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$" }, async stage =>
        {
            await stage.CallAsync("SET", "as master", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nas master");

            await stage.CallAsync("REPLICAOF", "127.0.0.1", other.Port.ToString(CultureInfo.InvariantCulture));
            await stage.WaitForFieldAsync("upstream.role", role => role == "replica", TimeSpan.FromSeconds(3)); // asked each second
            await Eventually.ValueAsync("the link to the master", () => stage.Redis.CallAsync("INFO", "replication"), info => info.Text.Contains("master_link_status:up", StringComparison.Ordinal));
            for (var n = 0; n < 20; n++) await other.CallAsync("SET", $"replicated:{n}", "1");
            await stage.WaitForNumberAsync("upstream.notifications_held_back", held => held == 20);
            await stage.Program.ReadyAsync(); // held back, but well

            await stage.CallAsync("REPLICAOF", "NO", "ONE");
            await stage.WaitForFieldAsync("upstream.role", role => role == "master", TimeSpan.FromSeconds(3));
            await stage.CallAsync("SET", "as master again", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nas master", "0\nset\nas master again");
        });
    }

    [Fact]
    public async Task What_a_promoted_node_sends_before_it_is_known_as_master_is_a_gap()
    {
        await using var other = await RedisServer.StartAsync("repl-diskless-sync-delay 0");
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$" }, async stage =>
        {
            await stage.Redis.CallAsync("REPLICAOF", "127.0.0.1", other.Port.ToString(CultureInfo.InvariantCulture));
            await stage.WaitForFieldAsync("upstream.role", role => role == "replica");
            // In one piece, so that no answer of ROLE lies between: the next one comes within a second.
            await using var client = await stage.Redis.ConnectAsync();
            await client.SendAsync("REPLICAOF NO ONE\r\nSET early 1\r\n");
            await stage.WaitForFieldAsync("upstream.role", role => role == "master");
            await stage.CallAsync("SET", "late", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nlate");
            Assert.Contains("cause=promoted", (await stage.InfoAsync())["gaps.gap_1"], StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_replica_at_start_is_ready_and_silent()
    {
        await using var other = await RedisServer.StartAsync("repl-diskless-sync-delay 0");
        var setting = new StageSetting
        {
            Events = "$",
            Before = async redis =>
            {
                await redis.CallAsync("REPLICAOF", "127.0.0.1", other.Port.ToString(CultureInfo.InvariantCulture));
                await Eventually.ValueAsync("the link to the master", () => redis.CallAsync("INFO", "replication"), info => info.Text.Contains("master_link_status:up", StringComparison.Ordinal));
            },
        };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            Assert.Equal("replica", (await stage.InfoAsync())["upstream.role"]);
            await other.CallAsync("SET", "k", "1");
            await stage.WaitForNumberAsync("upstream.notifications_held_back", held => held == 1);
            Assert.Equal(0, await stage.NumberAsync("ledger.received"));
            Assert.Equal(0, await stage.NumberAsync("gaps.gaps_total"));
        });
    }
}
