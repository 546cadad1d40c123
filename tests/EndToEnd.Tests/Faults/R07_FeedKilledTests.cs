// Row R07: does the feed come back when somebody ends its connection or takes its rights, and is the gap declared?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R07_FeedKilledTests(SharedBroker broker)
{
    [Fact]
    public async Task A_feed_killed_by_CLIENT_KILL_subscribes_again_and_declares_a_gap_each_time()
    {
        await FeedFaults.RunAsync(broker, async (stage, run) =>
        {
            for (var kills = 1; kills <= 3; kills++)
            {
                await run.MoreAsync(200);
                Assert.Equal(1, (await stage.Redis.CallAsync("CLIENT", "KILL", "TYPE", "pubsub")).Integer);
                await FeedFaults.DeclaredAsync(run, "connection_lost", kills);
            }
            await run.MoreAsync(200);
        }, isLong: false);
    }

    [Fact]
    public async Task A_feed_whose_rights_are_taken_says_what_to_grant_and_goes_on_when_it_has_them_again()
    {
        var setting = new StageSetting { Login = ["feed", "secret"], Redis = ["user feed on >secret ~* &* +@all"] };
        await FeedFaults.RunAsync(broker, async (stage, run) =>
        {
            await run.MoreAsync(200);
            await stage.Redis.CallAsync("ACL", "SETUSER", "feed", "resetchannels");
            await stage.WaitForFieldAsync("upstream.remedy", remedy => remedy.Contains("&__keyevent@", StringComparison.Ordinal));
            await stage.WaitForNumberAsync("gaps.gaps_open", open => open == 1);
            await run.MoreAsync(200);
            await stage.Redis.CallAsync("ACL", "SETUSER", "feed", "allchannels");
            await FeedFaults.DeclaredAsync(run, "connection_lost");
            await run.MoreAsync(200);
        }, setting);
    }
}
