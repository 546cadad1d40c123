// Row P11: what is lost or doubled when the program is frozen for a while?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class P11_ProgramFrozenTests(SharedBroker broker)
{
    [Fact]
    public async Task Frozen_for_5_s_it_catches_up_and_doubles_nothing_but_with_equal_ids()
    {
        await RunAsync(FaultStage.Setting, async (stage, _) =>
        {
            const int Rate = 1000;
            await using var run = stage.StartRun(new WriterSetting(stage.Redis.Port) { Rate = Rate }, new WriterSetting(stage.Program.Port));
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 500);
            stage.Program.Freeze();
            // The writer that goes straight to Redis needs 5 seconds for this.
            await run.MoreAsync(5 * Rate);
            stage.Program.Thaw();
            await run.MoreAsync(500);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Empty(verdict.InDeclaredGap);
        });
    }

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
