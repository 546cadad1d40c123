// FaultStage R9 to R12: what happens to the events in the fallback storage, and to those that it refuses?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class FallbackRowTests(SharedBroker broker)
{
    [Fact]
    public async Task R9_Events_that_a_full_Redis_refuses_wait_in_memory_and_beyond_its_bound_are_counted_as_dropped_with_a_warning()
    {
        await RunAsync(FaultStage.Setting with { Options = [.. FaultStage.Setting.Options, "--buffer-bytes", "256k"] }, async (stage, relay) =>
        {
            relay.Cut(); // before the first event: none is unconfirmed, so what is counted as dropped has not arrived all the same
            await stage.Redis.CallAsync("CONFIG", "SET", "maxmemory", "1mb");
            await using var run = stage.StartRun(Enumerable.Repeat(new WriterSetting(stage.Program.Port) { Rate = 1000, EvenWhenFull = true }, 2).ToArray());
            long most = 0, limit = 0;
            await Eventually.TrueAsync("some events to be dropped", async () =>
            {
                var info = await stage.InfoAsync();
                (most, limit) = (Math.Max(most, Number(info, "fallback.memory_bytes")), Number(info, "fallback.memory_limit"));
                return Number(info, "ledger.dropped_memory_full") > 500;
            });
            Assert.Equal(256 * 1024, limit);
            Assert.InRange(most, limit / 2, limit);
            Assert.Equal(0, await stage.FallbackLengthAsync());
            await stage.WaitForFieldAsync("fallback.last_error", error => error.Contains("OOM", StringComparison.Ordinal));
            await stage.Program.Process.LineAsync("that the store refuses", line => line.Contains("the fallback storage cannot take events: OOM", StringComparison.Ordinal));
            await stage.Program.Process.LineAsync("that memory is full", line => line.Contains("memory for waiting events is full", StringComparison.Ordinal));

            await stage.Redis.CallAsync("CONFIG", "SET", "maxmemory", "0");
            relay.Accept();
            await run.MoreAsync(300);
            var verdict = await run.EndAndShowAsync();
            verdict.LostIsCounted();
            Assert.Equal(["memory_full"], verdict.Dropped.Keys);
        });
    }

    [Fact]
    public async Task R10_Stored_events_that_Redis_evicts_are_counted_as_lost_and_the_danger_is_told_at_the_start()
    {
        await RunAsync(FaultStage.Setting with { Redis = ["maxmemory 1gb", "maxmemory-policy allkeys-lru"] }, async (stage, relay) =>
        {
            await stage.Program.Process.LineAsync("what may be evicted", line => line.Contains("maxmemory-policy", StringComparison.Ordinal) && line.Contains("allkeys-lru", StringComparison.Ordinal) && line.Contains("noeviction", StringComparison.Ordinal));
            Assert.Contains("allkeys-lru", (await stage.InfoAsync())["upstream.remedy"], StringComparison.Ordinal);
            relay.Cut(); // before the first event, as in R9
            await using var run = stage.StartRun();
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 300);
            await run.StopWritingAsync(); // Redis refuses writes while it has nothing left to evict
            await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting == 0);

            await BeatsAsync(stage); // two sets within two looks at the flags would be a gap, and so would hold the writes before them
            await stage.Redis.CallAsync("CONFIG", "SET", "maxmemory", "1mb");
            await Eventually.ValueAsync("the list to be evicted", stage.FallbackLengthAsync, length => length == 0);
            await BeatsAsync(stage);
            await stage.Redis.CallAsync("CONFIG", "SET", "maxmemory", "0");
            relay.Accept();
            await stage.WaitForNumberAsync("ledger.dropped_fallback_lost", lost => lost > 300);
            var verdict = await run.EndAndShowAsync();
            verdict.LostIsCounted();
        });
    }

    [Fact]
    public async Task R10_Where_nothing_is_evicted_there_is_no_warning()
    {
        await RunAsync(FaultStage.Setting with { Redis = ["maxmemory 1gb", "maxmemory-policy volatile-lru"] }, async (stage, _) =>
        {
            await stage.CallAsync("SET", "k", "v");
            await stage.Consumer.WaitForAsync(1);
            Assert.Equal("", (await stage.InfoAsync())["upstream.remedy"]);
        });
    }

    [Fact]
    public async Task R11_Stored_events_that_FLUSHALL_takes_are_noticed_and_counted_exactly_under_load()
    {
        await RunAsync(FaultStage.Setting, async (stage, relay) =>
        {
            relay.Cut(); // before the first event, as in R9
            await using var run = stage.StartRun();
            for (var flushes = 0; flushes < 3; flushes++)
            {
                var before = await stage.NumberAsync("ledger.dropped_fallback_lost");
                await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 300);
                await stage.Redis.CallAsync("FLUSHALL");
                await stage.WaitForNumberAsync("ledger.dropped_fallback_lost", lost => lost > before);
            }
            await stage.Program.Process.LineAsync("what is lost", line => line.Contains("the fallback storage has lost", StringComparison.Ordinal));
            relay.Accept();
            await run.MoreAsync(200);
            var verdict = await run.EndAndShowAsync();
            verdict.LostIsCounted();
            Assert.Equal(["fallback_lost"], verdict.Dropped.Keys);
        });
    }

    [Fact]
    public async Task R12_With_all_flags_set_and_the_fallback_in_use_its_own_key_makes_no_event()
    {
        var setting = FaultStage.Setting with { Before = redis => redis.CallAsync("CONFIG", "SET", "notify-keyspace-events", "KEAmn"), Options = [.. FaultStage.Setting.Options, "--rule", "mask=REDIS_MODULE"] };
        await RunAsync(setting, async (stage, relay) =>
        {
            await using var run = stage.StartRun();
            for (var outages = 0; outages < 3; outages++)
            {
                relay.Cut();
                await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 200);
                await run.Watch.LookAsync();
                relay.Accept();
                await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 0);
            }
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost(); // and nothing unexpected: an event of the list would be
            Assert.True(verdict.Recovered > 500);
        });
    }

    private static long Number(IReadOnlyDictionary<string, string> info, string field) => long.Parse(info[field], CultureInfo.InvariantCulture);

    /// <summary>Until the flags have been looked at some times: it is done with each marker.</summary>
    private static async Task BeatsAsync(Stage stage)
    {
        long seen = await stage.NumberAsync("upstream.markers_seen");
        await stage.WaitForNumberAsync("upstream.markers_seen", now => now >= seen + 4);
    }

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
