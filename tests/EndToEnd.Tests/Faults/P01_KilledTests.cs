// Row P01: what is lost when the program is killed?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class P01_KilledTests(SharedBroker broker)
{
    [Fact]
    public async Task Killed_at_random_times_it_loses_at_most_what_was_only_in_memory_or_nobody_heard_and_says_so()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await RunAsync(FaultStage.Setting, async (stage, relay) =>
        {
            await using var run = stage.StartRun();
            for (var kills = 0; kills < 4; kills++)
            {
                var stored = 0L;
                if (kills % 2 == 1)
                {
                    relay.Cut();
                    await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 100);
                    await run.Watch.LookAsync();
                    stored = await stage.FallbackLengthAsync();
                }
                else
                {
                    await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 100);
                }
                // The kill comes at a random moment within a second or two.
                await run.MoreAsync(random.Next(1500, 3000));
                var killing = run.KillProgramAsync();
                Assert.True(await stage.FallbackLengthAsync() >= stored, "the kill took from the fallback list");
                relay.Accept();
                await killing;
            }

            await run.MoreAsync(300);
            var verdict = await run.EndAndShowAsync();
            // Each restarted program has declared the gap before it. Outside of these gaps nothing is lost.
            verdict.NothingLost();
            Assert.True(verdict.Recovered > 100);
            Assert.Equal(4, run.Watch.Gaps.Count(gap => gap.Cause == "not_running"));
        });
    }

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
