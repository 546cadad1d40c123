// Does a group deliver each event of a replica set, whichever node is the master, and whichever members live?
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class SentinelGroupTests(SharedBroker broker)
{
    /// <summary>Sentinel needs two seconds to notice that a master has gone, and a takeover comes on top.</summary>
    private static readonly TimeSpan Failover = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task One_member_delivers_and_goes_on_with_the_new_master_when_the_old_one_is_killed()
    {
        await RunAsync(async (stage, run) =>
        {
            await stage.UnderWayAsync();
            await run.MoreAsync(2000);
            var old = (await stage.Sentinel.MasterAsync())!;
            await old.KillAsync();
            var master = await stage.Sentinel.FailedOverAsync(old);
            await MasterHasHolderAsync(stage, master.Port);
            await run.MoreAsync(2000);
            await old.RestartAsync();
            await stage.UnderWayAsync();
            await run.MoreAsync(1000);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.InRange(verdict.Duplicated, 0, GroupTest.MostTwice);
            Assert.All(verdict.Gaps, gap => Assert.True(gap.To - gap.From < TimeSpan.FromSeconds(6), gap.Line));
        });
    }

    [Fact]
    public async Task A_master_that_is_demoted_while_it_lives_is_followed_without_a_loss()
    {
        await RunAsync(
            async (stage, run) =>
            {
                await stage.UnderWayAsync();
                for (var times = 0; times < 2; times++)
                {
                    await run.MoreAsync(1000);
                    var master = await stage.Sentinel.FailoverAsync();
                    await MasterHasHolderAsync(stage, master.Port);
                    await run.MoreAsync(1000);
                }

                await stage.UnderWayAsync();
                (await run.EndAndShowAsync()).NothingLost();
            },
            "min-replicas-to-write 1");
    }

    [Fact]
    public async Task When_the_holder_and_the_master_are_killed_together_nothing_is_lost_outside_the_declared_gap()
    {
        await RunAsync(async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            await run.MoreAsync(2000);
            var old = (await stage.Sentinel.MasterAsync())!;
            await Task.WhenAll(old.KillAsync(), stage.KillAsync(holder));
            var master = await stage.Sentinel.FailedOverAsync(old);
            await MasterHasHolderAsync(stage, master.Port);
            await run.MoreAsync(2000);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.All(verdict.Gaps, gap => Assert.True(gap.To - gap.From < TimeSpan.FromSeconds(8), gap.Line));
        });
    }

    [Fact]
    public async Task When_the_holder_is_killed_another_goes_on_without_a_gap()
    {
        await RunAsync(async (stage, run) =>
        {
            for (var kills = 0; kills < 2; kills++)
            {
                var holder = await stage.UnderWayAsync();
                await run.MoreAsync(1000);
                await stage.KillAsync(holder);
                await stage.HolderAsync(holder, GroupTest.Takeover);
                await holder.StartAgainAsync();
            }

            await stage.UnderWayAsync();
            var verdict = await run.NothingIsMissingAsync();
            Assert.InRange(verdict.Duplicated, 0, 2 * 4 * GroupTest.MostTwice);
        });
    }

    [Fact]
    public async Task When_the_holder_ends_in_order_another_goes_on_at_once()
    {
        await RunAsync(async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            await run.MoreAsync(1000);
            Assert.Equal(0, await stage.TerminateAsync(holder));
            await stage.HolderAsync(holder, GroupTest.Takeover);
            await run.MoreAsync(1000);
            await run.NothingIsMissingAsync();
        });
    }

    [Fact]
    public async Task When_the_feed_of_the_holder_is_cut_somebody_goes_on_without_a_gap()
    {
        await RunAsync(async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            await run.MoreAsync(1000);
            Assert.Equal(1, await stage.KillFeedAsync(holder, (await stage.Sentinel.MasterAsync())!));
            await run.MoreAsync(1000);
            await stage.UnderWayAsync();
            await run.NothingIsMissingAsync();
        });
    }

    [Fact]
    public async Task A_holder_that_is_frozen_while_its_master_is_replaced_leaves_everything_to_another()
    {
        await RunAsync(async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            await run.MoreAsync(1000);
            var old = (await stage.Sentinel.MasterAsync())!;
            holder.Freeze();
            await old.KillAsync();
            var master = await stage.Sentinel.FailedOverAsync(old);
            await MasterHasHolderAsync(stage, master.Port);
            await run.MoreAsync(1000);
            holder.Thaw();
            await old.RestartAsync();
            await stage.UnderWayAsync();
            await run.MoreAsync(1000);
            (await run.EndAndShowAsync()).NothingLost();
        });
    }

    [Fact]
    public async Task A_master_that_is_frozen_and_wakes_up_when_another_has_its_place_is_not_delivered_any_more()
    {
        await RunAsync(
            async (stage, run) =>
            {
                await stage.UnderWayAsync();
                await run.MoreAsync(1000);
                var old = (await stage.Sentinel.MasterAsync())!;
                old.Freeze();
                var master = await stage.Sentinel.FailedOverAsync(old);
                await MasterHasHolderAsync(stage, master.Port);
                old.Thaw();
                await run.MoreAsync(2000);
                await stage.UnderWayAsync();
                var verdict = await run.EndAndShowAsync();
                Assert.Empty(verdict.Faults());
                foreach (var key in verdict.Lost.Select(text => text.Split(' ')[0]))
                {
                    Assert.Equal(0, (await master.CallAsync("EXISTS", key)).Integer); // Redis has lost the write as well
                }
            },
            "min-replicas-to-write 1");
    }

    [Fact]
    public async Task What_is_stored_while_the_broker_is_away_is_followed_to_the_new_master()
    {
        await RunAsync(
            async (stage, run) =>
            {
                await stage.UnderWayAsync();
                await run.MoreAsync(1000);
                stage.Relay.Cut();
                await Eventually.ValueAsync("events to be stored", run.Watch.FallbackLengthAsync, length => length > 100, TimeSpan.FromSeconds(30));
                var master = await stage.Sentinel.FailoverAsync();
                await MasterHasHolderAsync(stage, master.Port);
                await run.MoreAsync(1000);
                await Eventually.ValueAsync("more to be stored", run.Watch.FallbackLengthAsync, length => length > 1000, TimeSpan.FromSeconds(30));
                stage.Relay.Accept();
                await run.MoreAsync(500);
                var verdict = await run.EndAndShowAsync();
                verdict.NothingLost();
                Assert.True(verdict.Recovered > 1000, verdict.ToString());
            },
            "min-replicas-to-write 1");
    }

    private static Task MasterHasHolderAsync(GroupStage stage, int port) => Eventually.ValueAsync(
        "a holder of the new master's stream",
        async () => await Task.WhenAll(stage.Members.Where(member => member.IsAnswering).Select(member => member.AdminReportAsync())),
        reports => reports.All(report => report.Masters.Any(stream => stream.Node.EndsWith($":{port}", StringComparison.Ordinal) && stream.Holder.Length > 0)),
        Failover);

    private async Task RunAsync(Func<GroupStage, FaultRun, Task> act, params string[] lines)
    {
        await using var stage = await GroupStage.SetBehindSentinelAsync(await broker.GetAsync(), new GroupSetting(), lines);
        await GroupTest.RunAsync(stage, act);
    }
}
