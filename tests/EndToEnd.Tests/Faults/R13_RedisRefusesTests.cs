// Row R13: what do clients see, and where do events wait, while Redis refuses to write?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>
/// In each test events have been read and wait for a broker that does not confirm; then Redis refuses, and then the broker goes: the fallback
/// storage would be due, and has to be tried until Redis takes it.
/// </summary>
public sealed class R13_RedisRefusesTests(SharedBroker broker)
{
    [Fact]
    public Task R13_READONLY() => RefusedAsync(
        "READONLY",
        ["SET", "x", "y"],
        redis => redis.CallAsync("REPLICAOF", "127.0.0.1", "1"),
        redis => redis.CallAsync("REPLICAOF", "NO", "ONE"));

    [Fact]
    public Task R13_MASTERDOWN() => RefusedAsync(
        "MASTERDOWN",
        ["GET", "x"],
        async redis =>
        {
            await redis.CallAsync("CONFIG", "SET", "replica-serve-stale-data", "no");
            await redis.CallAsync("REPLICAOF", "127.0.0.1", "1");
        },
        redis => redis.CallAsync("REPLICAOF", "NO", "ONE"));

    [Fact]
    public Task R13_MISCONF() => RefusedAsync(
        "MISCONF",
        ["SET", "x", "y"],
        async redis =>
        {
            await redis.CallAsync("CONFIG", "SET", "dir", "/proc"); // nothing can be saved there
            await redis.ConnectAndCallAsync("BGSAVE");
            await Eventually.ValueAsync("a failed save", () => redis.CallAsync("INFO", "persistence"), info => info.Text.Contains("rdb_last_bgsave_status:err", StringComparison.Ordinal));
        },
        redis => redis.CallAsync("CONFIG", "SET", "stop-writes-on-bgsave-error", "no"),
        "enable-protected-configs local", "save 3600 1000000");

    [Fact]
    public Task R13_BUSY() => RefusedAsync(
        "BUSY",
        ["SET", "x", "y"],
        async redis =>
        {
            _ = redis.ConnectAndCallAsync("EVAL", "while true do end", "0");
            await Eventually.ValueAsync("a busy Redis", () => redis.ConnectAndCallAsync("PING"), reply => reply.IsError);
        },
        redis => redis.CallAsync("SCRIPT", "KILL"),
        "busy-reply-threshold 50");

    [Fact]
    public async Task R13_LOADING()
    {
        await RunAsync(async (stage, relay, run) =>
        {
            await stage.Redis.ShutdownAsync();
            relay.Cut(); // not before: what is stored between a save and a kill would be lost with Redis' memory
            var restarting = stage.Redis.RestartAsync();
            await Eventually.ValueAsync("a Redis that loads", () => stage.Redis.ConnectAndCallAsync("GET", "x"), reply => reply.IsError);
            await SameAsync(stage, "LOADING", ["GET", "x"]);
            await restarting;
            await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting == 0);
        }, "key-load-delay 3000", "loading-process-events-interval-bytes 1024");
    }

    private Task RefusedAsync(string word, string[] command, Func<RedisServer, Task> begin, Func<RedisServer, Task> end, params string[] redis) => RunAsync(async (stage, relay, run) =>
    {
        await begin(stage.Redis);
        relay.Cut();
        await SameAsync(stage, word, command);
        await Eventually.TrueAsync("the refusal to be logged", () => stage.Program.Process.ErrorLines.Any(line => line.Contains("the fallback storage cannot take events", StringComparison.Ordinal)));
        Assert.Equal(0, run.Watch.Dropped.Values.Sum());
        await end(stage.Redis);
        await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting == 0, TimeSpan.FromSeconds(20));
        Assert.True(await stage.FallbackLengthAsync() >= 200);
    }, redis);

    /// <summary>Redis' own words, byte for byte, with the proxy and without.</summary>
    private static async Task SameAsync(Stage stage, string word, string[] command)
    {
        var direct = await stage.Redis.ConnectAndCallAsync(command);
        var through = await stage.CallAsync(command);
        Assert.StartsWith(word, direct.Text, StringComparison.Ordinal);
        Assert.Equal(direct.ToString(), through.ToString());
    }

    private async Task RunAsync(Func<Stage, Relay, FaultRun, Task> act, params string[] redis)
    {
        await FaultStage.WithRelayAsync(await broker.GetAsync(), FaultStage.Setting with { Redis = redis }, async (stage, relay) =>
        {
            await using var run = stage.StartRun();
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 100);
            relay.Pause();
            await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting > 300);
            await act(stage, relay, run);
            await run.Watch.LookAsync();
            relay.Resume();
            relay.Accept();
            await run.MoreAsync(200);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.True(verdict.Recovered > 200);
        });
    }
}
