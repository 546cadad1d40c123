// Can a replica, or redis-cli in the part of one, be fed through the proxy?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fidelity;

[Trait("Against", "every-redis")]
public sealed class ReplicationTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    [Fact]
    public async Task Redis_cli_fetches_a_snapshot()
    {
        await proxy.Redis.CallAsync("SET", "in the snapshot", new string('s', 2_000_000));
        using var folder = new PrivateFolder("rdb");
        var file = folder.File("dump.rdb");
        var result = await proxy.Program.Cli.RunWithAsync(["--rdb", file]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("RDB looks OK", (await Run.ToEndAsync(ServerPrograms.RedisCheckRdb, [file])).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redis_cli_as_a_replica_shows_the_writes()
    {
        using var replica = proxy.Program.Cli.Start("--replica");
        await replica.LineAsync("that it is in sync", line => line.Contains("Logging commands from", StringComparison.Ordinal));
        await proxy.Program.CallAsync("SET", "to-the-replica", "1");
        await replica.LineAsync("the write", line => line.Contains("\"to-the-replica\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_real_replica_follows_and_goes_on_after_a_lost_connection()
    {
        await proxy.Redis.CallAsync("SET", "before", "1");
        await using var replica = await RedisServer.StartAsync(string.Create(CultureInfo.InvariantCulture, $"replicaof 127.0.0.1 {proxy.Program.Port}"), "repl-timeout 5", "repl-ping-replica-period 1");
        await Eventually.ValueAsync("what was there before", async () => (await replica.CallAsync("GET", "before")).IsNull ? "" : "there", seen => seen == "there");
        for (var n = 0; n < 1000; n++) await proxy.Redis.CallAsync("SET", "after", n.ToString(CultureInfo.InvariantCulture));
        await Eventually.ValueAsync("the last write", async () => (await replica.CallAsync("GET", "after")).Text, seen => seen == "999");

        await proxy.Redis.CallAsync("CLIENT", "KILL", "TYPE", "replica");
        await proxy.Redis.CallAsync("SET", "after", "again");
        await Eventually.ValueAsync("the write after the lost connection", async () => (await replica.CallAsync("GET", "after")).Text, seen => seen == "again");
        var info = (await proxy.Redis.CallAsync("INFO", "stats")).Text;
        Assert.Contains("sync_partial_ok:1", info, StringComparison.Ordinal);
    }
}
