// Does a group declare what none of its members heard?
using System.Collections.Concurrent;
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class AllGoneTests(SharedBroker broker)
{
    [Fact]
    public async Task When_all_are_killed_and_started_again_one_declares_one_gap_and_all_that_is_missing_lies_in_it()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            var ids = new ConcurrentQueue<string>();
            var take = stage.Consumer.OnReceived!;
            stage.Consumer.OnReceived = message =>
            {
                ids.Enqueue(message.MessageId!);
                take(message);
            };
            await stage.UnderWayAsync();
            await run.MoreAsync(1500); // 3 s: the place is kept in Redis every second
            await Task.WhenAll(stage.Members.Select(stage.KillAsync));
            await run.MoreAsync(1000);
            var heard = ids.Count;
            await Task.WhenAll(stage.Members.Select(member => member.StartAgainAsync()));
            await stage.UnderWayAsync();

            var verdict = await run.EndAndShowAsync(TimeSpan.FromSeconds(20));
            verdict.NothingLost();
            var gap = Assert.Single(verdict.Gaps);
            Assert.Equal("not_running", gap.Cause);
            Assert.InRange(verdict.InDeclaredGap.Values.Sum(), 1000, verdict.Acknowledged);

            var (last, first) = (GroupTest.Place(gap.Between.Last), GroupTest.Place(gap.Between.First));
            Assert.True(last.CompareTo(first) < 0, gap.Line);
            Assert.True(last.CompareTo(GroupTest.Place(ids.ElementAt(heard - 1))) <= 0, $"{ids.ElementAt(heard - 1)} was the last before: {gap.Line}");
            Assert.True(first.CompareTo(GroupTest.Place(ids.ElementAt(heard))) <= 0, $"{ids.ElementAt(heard)} was the first behind: {gap.Line}");
        });
    }

    [Fact]
    public async Task When_all_end_in_order_one_after_the_other_one_gap_begins_with_the_end_of_the_last()
    {
        await GroupTest.RunAsync(broker, new GroupSetting { Names = ["a", "b"] }, async (stage, run) =>
        {
            await stage.UnderWayAsync();
            foreach (var member in stage.Members.ToList()) Assert.Equal(0, await stage.TerminateAsync(member));

            await run.MoreAsync(300);
            await Task.WhenAll(stage.Members.Select(member => member.StartAgainAsync()));
            await stage.UnderWayAsync();
            var verdict = await run.EndAndShowAsync(TimeSpan.FromSeconds(20));
            verdict.NothingLost();
            Assert.Equal("not_running", Assert.Single(verdict.Gaps).Cause);
        });
    }
}
