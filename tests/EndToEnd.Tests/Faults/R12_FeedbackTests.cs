// Row R12: does storing an event ever make an event?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R12_FeedbackTests(SharedBroker broker)
{
    [Fact]
    public async Task With_all_flags_set_and_the_fallback_in_use_its_own_key_makes_no_event()
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
            // An event of the fallback list would be unexpected, and would fail the verdict.
            verdict.NothingLost();
            Assert.True(verdict.Recovered > 500);
        });
    }

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
