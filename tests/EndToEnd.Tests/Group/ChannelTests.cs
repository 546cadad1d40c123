// Does a group go on when somebody else writes into its channel, or empties its Redis?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class ChannelTests(SharedBroker broker)
{
    private const string Marker = "__keyevt__:marker";

    /// <summary>Nothing that a member says: other words, another version, numbers that are none, members that there are not, much.</summary>
    private static readonly string[] Foreign =
    [
        "", "garbage", "\0\r\n\xff", "a:b:c", "1", "1 ", "1 mark", "1 mark a", "1 mark a -5", "1 mark nobody 99999999999999999999", "1 claim a", "1 claim a 5 follows= reach=",
        "2 mark nobody 7 reach=1-0 broker=up", "2 claim nobody 8 follows=nobody/7 reach=1-0", "0 resign nobody 9 claim=nobody/8 settled=1-0", "1 unheardof nobody 10", new string('x', 100_000),
    ];

    [Fact]
    public async Task Messages_that_no_member_says_change_nothing()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            var channels = (await stage.Redis.CallAsync("PUBSUB", "CHANNELS", "__keyevt__:*")).Texts.Append(Marker).Distinct().ToList();
            await using var client = await stage.Redis.ConnectAsync();
            foreach (var channel in channels)
            {
                foreach (var message in Foreign) await client.CallAsync("PUBLISH", channel, message);
                await run.MoreAsync(200);
            }

            Assert.Same(holder, await stage.UnderWayAsync());
            Assert.Equal(0, (await run.NothingIsMissingAsync()).Duplicated);
        });
    }

    [Fact]
    public async Task After_FLUSHALL_the_group_goes_on_and_a_takeover_loses_nothing()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            for (var times = 0; times < 2; times++)
            {
                Assert.Equal("OK", (await stage.Redis.CallAsync("FLUSHALL")).Text);
                await run.MoreAsync(300);
            }

            Assert.Same(holder, await stage.UnderWayAsync());
            await stage.KillAsync(holder);
            await stage.HolderAsync(holder, GroupTest.Takeover);
            await run.MoreAsync(300);
            await run.NothingIsMissingAsync();
        });
    }
}
