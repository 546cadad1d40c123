// What happens to the events when the holder of a group ends?
using System.Diagnostics;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class HolderEndsTests(SharedBroker broker)
{
    [Fact]
    public async Task When_the_holder_is_killed_under_load_another_goes_on_and_nothing_is_missing()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            for (var kills = 0; kills < 2; kills++)
            {
                var holder = await stage.UnderWayAsync();
                var before = (await holder.ReportAsync()).Stream;
                await stage.KillAsync(holder);
                var next = await stage.HolderAsync(holder, GroupTest.Takeover);
                var after = (await next.ReportAsync()).Stream;
                Assert.True(after.Term > before.Term && after.Handovers > 0, $"{before} then {after}");
                await holder.StartAgainAsync();
            }

            await stage.UnderWayAsync();
            var verdict = await run.NothingIsMissingAsync();
            Assert.InRange(verdict.Duplicated, 0, 2 * GroupTest.MostTwice);
        });
    }

    [Fact]
    public async Task When_the_holder_is_terminated_under_load_the_next_one_begins_at_once_and_nothing_is_missing()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            for (var times = 0; times < 2; times++)
            {
                var holder = await stage.UnderWayAsync();
                var clock = Stopwatch.StartNew();
                var ending = stage.TerminateAsync(holder);
                await stage.HolderAsync(holder, GroupTest.Takeover);
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"it took {clock.Elapsed.TotalSeconds:0.0} s");
                Assert.Equal(0, await ending);
                await holder.StartAgainAsync();
            }

            await stage.UnderWayAsync();
            var verdict = await run.NothingIsMissingAsync();
            Assert.InRange(verdict.Duplicated, 0, 2 * GroupTest.MostTwice);
        });
    }

    [Fact]
    public async Task When_all_but_one_have_ended_the_last_one_delivers_everything()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            var first = await stage.UnderWayAsync();
            await stage.KillAsync(first);
            var second = await stage.HolderAsync(first, GroupTest.Takeover);
            Assert.Equal(0, await stage.TerminateAsync(second));
            var last = await stage.HolderAsync(second, GroupTest.Takeover);
            Assert.NotSame(first, last);
            await run.MoreAsync(500);
            await run.NothingIsMissingAsync();
        });
    }
}
