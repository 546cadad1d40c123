// Do only so many members of a group hear the events as there are seats?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class SeatTests(SharedBroker broker)
{
    private static readonly GroupSetting TwoSeats = new() { Options = ["--group-seats", "2"] };

    [Fact]
    public async Task With_two_seats_two_of_three_listen_and_the_third_takes_the_seat_of_one_that_was_killed()
    {
        await GroupTest.RunAsync(broker, TwoSeats, async (stage, run) =>
        {
            var holder = await stage.HolderAsync();
            await ListenersAsync(stage, 2);
            await run.MoreAsync(500);
            Assert.Equal(2, await stage.ListenersAsync());
            Assert.Equal(1, await SeatlessAsync(stage));

            await stage.KillAsync(holder);
            await stage.HolderAsync(holder, GroupTest.Takeover);
            await ListenersAsync(stage, 2);
            await run.MoreAsync(300);
            await run.NothingIsMissingAsync();
        });
    }

    private static Task ListenersAsync(GroupStage stage, int count) => Eventually.ValueAsync($"{count} listeners", stage.ListenersAsync, seen => seen == count, TimeSpan.FromSeconds(20));

    /// <summary>By the members' own word: connections that hear events are not all of what a seat is.</summary>
    private static async Task<int> SeatlessAsync(GroupStage stage)
    {
        var report = await Eventually.ValueAsync("three members", stage.Members[0].ReportAsync, seen => seen.Members.Count == 3);
        return report.Members.Count(member => !member.HasSeat);
    }
}
