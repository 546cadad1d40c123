// Does the stage of the group tests see what is wrong? Shown with one proxy that has no group.
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class GroupStageTests(SharedBroker broker)
{
    [Fact]
    public async Task Without_a_fault_nothing_is_missing_and_nothing_comes_twice()
    {
        await GroupTest.RunAsync(broker, GroupSetting.Lone, async (stage, run) =>
        {
            await run.MoreAsync(500);
            Assert.Equal(1, await stage.ListenersAsync());
            var verdict = await run.NothingIsMissingAsync();
            Assert.Equal((verdict.Attempted, 0), (verdict.Received, verdict.Duplicated));
        });
    }

    [Fact]
    public async Task What_is_written_when_all_are_killed_and_left_so_is_lost()
    {
        await GroupTest.RunAsync(broker, GroupSetting.Lone, async (stage, run) =>
        {
            await run.MoreAsync(300);
            await stage.KillAsync(stage.Members[0]);
            await run.MoreAsync(300);
            await run.StopWritingAsync();
            var verdict = await run.JudgeAsync();
            Assert.True(verdict.Lost.Count >= 300, verdict.ToString());
            Assert.Throws<InvalidOperationException>(verdict.NothingLost);
        });
    }

    [Fact]
    public async Task One_member_alone_loses_its_broker_or_its_feed()
    {
        await GroupTest.RunAsync(broker, GroupSetting.Lone with { Names = ["one", "two"], OptionsOf = static name => ["--group", name] }, async (stage, run) =>
        {
            var (one, two) = (stage.Members[0], stage.Members[1]);
            stage.TakeBroker(one);
            await Eventually.ValueAsync("one to notice", one.Program.AdminInfoAsync, info => info["amqp.state"] != "connected");
            await run.MoreAsync(100);
            await Eventually.ValueAsync("two to be connected", two.Program.AdminInfoAsync, info => info["amqp.state"] == "connected");
            stage.GiveBroker(one);
            await Eventually.ValueAsync("one to come back", one.Program.AdminInfoAsync, info => info["amqp.state"] == "connected");

            Assert.Equal(1, await stage.KillFeedAsync(two));
            await Eventually.ValueAsync("two to notice", two.Program.AdminInfoAsync, LostItsFeed);
            Assert.False(LostItsFeed(await one.Program.AdminInfoAsync()));
        });
    }

    private static bool LostItsFeed(IReadOnlyDictionary<string, string> info) => info.Values.Any(value => value.Contains("cause=connection_lost", StringComparison.Ordinal));

    [Fact]
    public void A_silence_is_measured_from_what_was_heard_before_to_what_was_heard_next()
    {
        var clock = new SteppedClock();
        var silence = new SilenceMeter(clock);
        silence.Ended();
        clock.Step(1);
        silence.Begin();
        clock.Step(2);
        silence.Ended();
        clock.Step(1);
        silence.Ended();
        Assert.Equal((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(2)), silence.Longest);
        silence.Begin();
        Assert.Equal((TimeSpan.Zero, TimeSpan.Zero), silence.Longest);
    }

    private sealed class SteppedClock : TimeProvider
    {
        private long _seconds = 1000;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds;

        public void Step(long seconds) => _seconds += seconds;
    }
}
