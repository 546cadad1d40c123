// Do forwarders that are not of the same group leave each other alone on one Redis?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class NeighbourTests(SharedBroker broker)
{
    [Fact]
    public async Task A_proxy_of_another_group_gets_its_own_copy_of_every_event() =>
        await BesideAsync(new GroupSetting { Group = "audit", Names = ["d"] }, async other => Assert.Equal("audit", (await other.Members[0].ReportAsync()).Group));

    [Fact]
    public async Task A_proxy_of_no_group_forwards_everything_as_it_does_alone() => await BesideAsync(GroupSetting.Lone, _ => Task.CompletedTask);

    /// <summary>Two members beside the other; their holder is killed and the other one restarted in good order. Neither notices anything of the other.</summary>
    private async Task BesideAsync(GroupSetting setting, Func<GroupStage, Task> look)
    {
        var rabbit = await broker.GetAsync();
        await GroupTest.RunAsync(broker, new GroupSetting { Names = ["a", "b"] }, async (stage, run) =>
        {
            await using var other = await GroupStage.SetAsync(rabbit, setting, beside: stage);
            await stage.UnderWayAsync();
            await run.NothingIsMissingAsync(); // what came before the other one heard
            var gaps = (await other.Members[0].Program.AdminInfoAsync())["gaps.gaps_total"];

            var both = stage.StartRun();
            var holder = await stage.UnderWayAsync();
            await look(other);
            await stage.KillAsync(holder);
            await stage.HolderAsync(holder, GroupTest.Takeover);
            await both.MoreAsync(300);
            var verdict = await both.NothingIsMissingAsync();

            var keys = Enumerable.Range(0, (int)verdict.Attempted).Select(number => OracleKey.Of(both.Name, 0, number)).ToList();
            await Eventually.ValueAsync("each event once", () => Task.FromResult(KeysOf(other, both.Name)), seen => seen.SequenceEqual(keys));
            var info = await other.Members[0].Program.AdminInfoAsync();
            Ledger.AssertAddsUp(info);
            Assert.Equal((gaps, "subscribed"), (info["gaps.gaps_total"], info["upstream.feed_state"]));
        });
    }

    private static List<string> KeysOf(GroupStage other, string run) =>
        [.. other.Consumer.Received.Select(message => message.Key).Where(key => OracleKey.TryRead(run, key, out _, out _))];
}
