// Row R10: what happens to stored events that Redis evicts?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R10_FallbackEvictedTests(SharedBroker broker)
{
    [Fact]
    public async Task Stored_events_that_Redis_evicts_are_counted_as_lost_and_the_danger_is_told_at_the_start()
    {
        await RunAsync(FaultStage.Setting with { Redis = ["maxmemory 1gb", "maxmemory-policy allkeys-lru"] }, async (stage, relay) =>
        {
            await stage.Program.Process.LineAsync("what may be evicted", line => line.Contains("maxmemory-policy", StringComparison.Ordinal) && line.Contains("allkeys-lru", StringComparison.Ordinal) && line.Contains("noeviction", StringComparison.Ordinal));
            Assert.Contains("allkeys-lru", (await stage.InfoAsync())["upstream.remedy"], StringComparison.Ordinal);
            // The broker goes away before the first event, so that no event counted as lost can have arrived.
            relay.Cut();
            await using var run = stage.StartRun();
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 300);
            // Redis would refuse writes once it has nothing left to evict.
            await run.StopWritingAsync();
            await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting == 0);

            // Two CONFIG SET commands between two looks at the flags count as a gap. The gap would excuse the writes before it.
            await BeatsAsync(stage);
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
    public async Task Where_nothing_is_evicted_there_is_no_warning()
    {
        await RunAsync(FaultStage.Setting with { Redis = ["maxmemory 1gb", "maxmemory-policy volatile-lru"] }, async (stage, _) =>
        {
            await stage.CallAsync("SET", "k", "v");
            await stage.Consumer.WaitForAsync(1);
            Assert.Equal("", (await stage.InfoAsync())["upstream.remedy"]);
        });
    }

    /// <summary>Waits until the program has looked at the flags some times. It looks with each marker.</summary>
    private static async Task BeatsAsync(Stage stage)
    {
        var seen = await stage.NumberAsync("upstream.markers_seen");
        await stage.WaitForNumberAsync("upstream.markers_seen", now => now >= seen + 4);
    }

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
