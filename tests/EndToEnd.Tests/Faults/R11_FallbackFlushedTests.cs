// Row R11: what happens to stored events when somebody empties Redis?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R11_FallbackFlushedTests(SharedBroker broker)
{
    [Fact]
    public async Task Stored_events_that_FLUSHALL_takes_are_noticed_and_counted_exactly_under_load()
    {
        await RunAsync(FaultStage.Setting, async (stage, relay) =>
        {
            // The broker goes away before the first event, so that no event counted as lost can have arrived.
            relay.Cut();
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

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
