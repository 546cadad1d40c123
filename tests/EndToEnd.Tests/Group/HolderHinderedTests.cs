// What happens to the events when the holder of a group lives, but cannot do its work?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class HolderHinderedTests(SharedBroker broker)
{
    [Fact]
    public async Task When_the_feed_of_the_holder_is_cut_somebody_goes_on_and_nothing_is_missing()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            for (var times = 0; times < 3; times++)
            {
                var holder = await stage.UnderWayAsync();
                Assert.True(await stage.KillFeedAsync(holder) > 0, "the holder has no connection that hears Redis");
                await run.MoreAsync(300);
            }

            await stage.UnderWayAsync();
            var verdict = await run.NothingIsMissingAsync();
            Assert.InRange(verdict.Duplicated, 0, 3 * GroupTest.MostTwice);
        });
    }

    [Fact]
    public async Task When_the_holder_is_frozen_for_3_s_another_delivers_and_nothing_is_missing_when_it_wakes()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            holder.Freeze();
            var frozen = run.MoreAsync(1500); // at 500 writes a second, these are 3 s
            await stage.HolderAsync(holder, GroupTest.Takeover);
            await frozen;
            holder.Thaw();
            await run.MoreAsync(300);
            await stage.HolderAsync(holder, GroupTest.Takeover);
            await stage.UnderWayAsync();
            await run.NothingIsMissingAsync();
        });
    }

    [Fact]
    public async Task When_a_standby_is_frozen_the_holder_goes_on_alone_and_nothing_comes_twice()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            var standby = stage.Members.First(member => member != holder);
            standby.Freeze();
            await run.MoreAsync(1500);
            Assert.Same(holder, await stage.HolderAsync());
            standby.Thaw();
            Assert.Same(holder, await stage.UnderWayAsync());
            Assert.Equal(0, (await run.NothingIsMissingAsync()).Duplicated);
        });
    }

    [Fact]
    public async Task When_the_broker_is_out_of_reach_for_the_holder_alone_another_delivers_and_nothing_is_missing()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            stage.TakeBroker(holder);
            var next = await stage.HolderAsync(holder, GroupTest.Takeover);
            await run.MoreAsync(500);
            Assert.NotEqual("connected", (await holder.Program.AdminInfoAsync())["amqp.state"]);
            stage.GiveBroker(holder);
            Assert.Same(next, await stage.UnderWayAsync());
            await run.NothingIsMissingAsync();
        });
    }
}
