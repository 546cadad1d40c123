// Does a group deliver each event of a cluster, with a holder for each master, whichever nodes and members live?
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class ClusterGroupTests(SharedBroker broker)
{
    private static readonly TimeSpan Failover = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Each_master_has_one_holder_and_nothing_comes_twice_without_a_fault()
    {
        await RunAsync(async (stage, run) =>
        {
            await AllHeldAsync(stage);
            await run.MoreAsync(3000);
            var verdict = await run.NothingIsMissingAsync();
            Assert.Equal(0, verdict.Duplicated);
        });
    }

    [Fact]
    public async Task When_a_master_is_killed_its_replica_is_delivered_and_nothing_is_lost_outside_the_declared_gap()
    {
        await RunAsync(async (stage, run) =>
        {
            await AllHeldAsync(stage);
            await run.MoreAsync(2000);
            var old = await stage.Cluster.MasterOfAsync(0);
            await RedisClusterServers.KillAsync(old);
            await stage.Cluster.FailedOverAsync(old, 0);
            await AllHeldAsync(stage);
            await run.MoreAsync(2000);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.All(verdict.Gaps, gap => Assert.True(gap.To - gap.From < TimeSpan.FromSeconds(8), gap.Line));
        });
    }

    [Fact]
    public async Task A_manual_failover_is_followed_without_a_loss()
    {
        await RunAsync(async (stage, run) =>
        {
            await AllHeldAsync(stage);
            await run.MoreAsync(2000);
            var old = await stage.Cluster.MasterOfAsync(0);
            var master = await stage.Cluster.FailoverAsync(old);
            await run.MoreAsync(1000);
            await stage.Cluster.FailoverAsync(master);
            await AllHeldAsync(stage);
            await run.MoreAsync(2000);
            (await run.EndAndShowAsync()).NothingLost();
        });
    }

    [Fact]
    public async Task When_a_member_is_killed_the_others_take_its_masters_over_without_a_gap()
    {
        await RunAsync(async (stage, run) =>
        {
            await AllHeldAsync(stage);
            await run.MoreAsync(2000);
            var report = await stage.Members[0].AdminReportAsync();
            var holder = stage.Members.First(member => report.Masters.Any(stream => stream.Holder.StartsWith(member.Name + "-", StringComparison.Ordinal)));
            await stage.KillAsync(holder);
            await AllHeldAsync(stage);
            await run.MoreAsync(2000);
            await run.NothingIsMissingAsync();
        });
    }

    [Fact]
    public async Task When_a_master_and_the_member_that_holds_it_are_killed_together_nothing_is_lost_outside_the_declared_gap()
    {
        await RunAsync(async (stage, run) =>
        {
            await AllHeldAsync(stage);
            await run.MoreAsync(2000);
            var old = await stage.Cluster.MasterOfAsync(0);
            var report = await stage.Members[0].AdminReportAsync();
            var name = report.Masters.Single(stream => stream.Node.EndsWith($":{old.Port}", StringComparison.Ordinal)).Holder;
            var holder = stage.Members.Single(member => name.StartsWith(member.Name + "-", StringComparison.Ordinal));
            await Task.WhenAll(RedisClusterServers.KillAsync(old), stage.KillAsync(holder));
            await stage.Cluster.FailedOverAsync(old, 0);
            await AllHeldAsync(stage);
            await run.MoreAsync(2000);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.All(verdict.Gaps, gap => Assert.True(gap.To - gap.From < TimeSpan.FromSeconds(8), gap.Line));
        });
    }

    [Fact]
    public async Task Slots_that_move_lose_nothing()
    {
        await RunAsync(async (stage, run) =>
        {
            await AllHeldAsync(stage);
            await run.MoreAsync(1000);
            var (from, to) = (await stage.Cluster.MasterOfAsync(0), await stage.Cluster.MasterOfAsync(ClusterSlot.Count - 1));
            await stage.Cluster.ReshardAsync(from, to, 50);
            await run.MoreAsync(1000);
            (await run.EndAndShowAsync()).NothingLost();
        });
    }

    [Fact]
    public async Task While_the_broker_is_away_each_holder_stores_in_the_lists_of_its_masters_and_nothing_is_missing()
    {
        await RunAsync(async (stage, run) =>
        {
            await AllHeldAsync(stage);
            await run.MoreAsync(1000);
            stage.Relay.Cut();
            await Eventually.ValueAsync("events to be stored", run.Watch.FallbackLengthAsync, length => length >= 500, TimeSpan.FromSeconds(30));
            var report = await stage.Members[0].AdminReportAsync();
            var holder = stage.Members.First(member => report.Masters.Any(stream => stream.Holder.StartsWith(member.Name + "-", StringComparison.Ordinal)));
            await stage.KillAsync(holder);
            await AllHeldAsync(stage);
            var length = await run.Watch.FallbackLengthAsync();
            await Eventually.ValueAsync("more to be stored", run.Watch.FallbackLengthAsync, now => now >= length + 500, TimeSpan.FromSeconds(30));
            stage.Relay.Accept();
            await run.MoreAsync(500);
            (await run.EndAndShowAsync()).NothingLost();
        });
    }

    /// <summary>Waits until each member that answers knows a holder for each of three masters, and the same ones.</summary>
    private static Task AllHeldAsync(GroupStage stage) => Eventually.ValueAsync(
        "one holder of each master's stream",
        async () => await Task.WhenAll(stage.Members.Where(member => member.IsAnswering).Select(member => member.AdminReportAsync())),
        reports => reports.All(report => report.Masters.Count() == 3 && report.Masters.All(stream => stream.Holder.Length > 0 && reports.Any(one => one.Member == stream.Holder)))
            && reports.SelectMany(report => report.Masters).GroupBy(stream => stream.Node).All(node => node.Select(stream => stream.Holder).Distinct().Count() == 1),
        Failover);

    private async Task RunAsync(Func<GroupStage, FaultRun, Task> act)
    {
        await using var stage = await GroupStage.SetBeforeClusterAsync(await broker.GetAsync(), new GroupSetting());
        await GroupTest.RunAsync(stage, act, isInStep: false);
    }
}
