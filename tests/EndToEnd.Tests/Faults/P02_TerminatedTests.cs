// Row P02: does the program end in good order when it is terminated under load?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class P02_TerminatedTests(SharedBroker broker)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SIGTERM_under_load_ends_it_with_0_within_10_s_and_everything_confirmed_or_stored(bool isBrokerThere)
    {
        await RunAsync(FaultStage.Setting, async (stage, relay) =>
        {
            var full = new WriterSetting(stage.Program.Port) { Rate = 0, Pipeline = 100 };
            await using var run = stage.StartRun(full, new WriterSetting(stage.Redis.Port) { Rate = 2000, Pipeline = 20 });
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 5000);
            if (!isBrokerThere) relay.Cut();
            await run.MoreAsync(5000);
            var (code, took) = await run.StopProgramAsync(first =>
            {
                Assert.Contains("Stopped: every event is confirmed, stored or counted", first.AllText, StringComparison.Ordinal);
                relay.Accept();
            });
            Assert.Equal(0, code);
            Assert.True(took < TimeSpan.FromSeconds(10), $"it took {took.TotalSeconds:0.0} s");
            await run.MoreAsync(300);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            if (!isBrokerThere) Assert.True(verdict.Recovered > 1000, verdict.ToString());
        });
    }

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
