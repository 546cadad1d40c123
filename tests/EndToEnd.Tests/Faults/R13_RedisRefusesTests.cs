// Row R13: Redis refuses to write. What do clients see, and where do events wait?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>
/// In each test events wait in memory for a broker that does not confirm. Then Redis refuses, and then the broker goes away. Now the events
/// should be stored, and the program must try until Redis takes them.
/// </summary>
public sealed class R13_RedisRefusesTests(SharedBroker broker)
{
    [Fact]
    public Task A_replica_says_READONLY_and_events_are_stored_later() => RefusedAsync(
        "READONLY",
        ["SET", "x", "y"],
        redis => redis.CallAsync("REPLICAOF", "127.0.0.1", "1"),
        redis => redis.CallAsync("REPLICAOF", "NO", "ONE"));

    [Fact]
    public Task A_replica_without_its_master_says_MASTERDOWN_and_events_are_stored_later() => RefusedAsync(
        "MASTERDOWN",
        ["GET", "x"],
        async redis =>
        {
            await redis.CallAsync("CONFIG", "SET", "replica-serve-stale-data", "no");
            await redis.CallAsync("REPLICAOF", "127.0.0.1", "1");
        },
        redis => redis.CallAsync("REPLICAOF", "NO", "ONE"));

    [Fact]
    public Task After_a_failed_save_Redis_says_MISCONF_and_events_are_stored_later() => RefusedAsync(
        "MISCONF",
        ["SET", "x", "y"],
        async redis =>
        {
            // Redis cannot write a file in this folder.
            await redis.CallAsync("CONFIG", "SET", "dir", "/proc");
            await redis.ConnectAndCallAsync("BGSAVE");
            await Eventually.ValueAsync("a failed save", () => redis.CallAsync("INFO", "persistence"), info => info.Text.Contains("rdb_last_bgsave_status:err", StringComparison.Ordinal));
        },
        redis => redis.CallAsync("CONFIG", "SET", "stop-writes-on-bgsave-error", "no"),
        "enable-protected-configs local", "save 3600 1000000");

    [Fact]
    public Task During_a_long_script_Redis_says_BUSY_and_events_are_stored_later() => RefusedAsync(
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
    public async Task While_it_loads_Redis_says_LOADING_and_events_are_stored_later()
    {
        await RunAsync(async (stage, relay, run) =>
        {
            await stage.Redis.ShutdownAsync();
            // The broker is cut off only now. What is stored between the save and the end of Redis would be lost.
            relay.Cut();
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

    /// <summary>Asserts that a client gets the same error from Redis with the proxy and without, byte for byte.</summary>
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
