// Does a group deliver each event once, and what does it say of itself?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class OneHolderTests(SharedBroker broker)
{
    [Fact]
    public async Task Of_three_members_one_delivers_each_event_once_and_the_others_deliver_nothing()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            await run.MoreAsync(700);
            var verdict = await run.NothingIsMissingAsync();
            Assert.Equal((verdict.Attempted, 0), (verdict.Received, verdict.Duplicated));

            Assert.Same(holder, await stage.InStepAsync());
            foreach (var member in stage.Members)
            {
                var info = await member.Program.AdminInfoAsync();
                Ledger.AssertAddsUp(info);
                Assert.Equal(member == holder ? $"{verdict.Received}" : "0", info["ledger.confirmed"]);
                Assert.Equal(member == holder, info["ledger.received"] != "0");
                Assert.True(int.Parse(info["upstream.notifications_received"], CultureInfo.InvariantCulture) >= verdict.Received, $"{member} has heard too little");
            }
        });
    }

    [Fact]
    public async Task What_is_written_as_soon_as_the_members_are_ready_is_delivered()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            await stage.UnderWayAsync();
            await run.NothingIsMissingAsync();
        }, atOnce: true);
    }

    [Fact]
    public async Task Every_write_through_any_member_is_an_event_of_the_group()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            await stage.UnderWayAsync();
            await run.NothingIsMissingAsync();

            var through = stage.StartRun([.. stage.Members.Select(member => new WriterSetting(member.Program.Port))]);
            await through.MoreAsync(1500);
            var verdict = await through.NothingIsMissingAsync();
            Assert.Equal((verdict.Attempted, 0), (verdict.Received, verdict.Duplicated));
        });
    }

    [Fact]
    public async Task Each_member_names_the_holder_and_all_members_with_their_brokers_and_seats()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, _) =>
        {
            var holder = await stage.UnderWayAsync();
            var holderId = (await holder.ReportAsync()).Member;
            var ids = new List<string>();
            foreach (var member in stage.Members)
            {
                var report = await Eventually.ValueAsync("three members with broker and seat", member.ReportAsync, seen => seen.Members.Count(one => one.IsBrokerThere && one.HasSeat) == 3);
                Assert.Equal(("orders", 1), (report.Group, report.Streams));
                Assert.StartsWith($"{member.Name}-", report.Member, StringComparison.Ordinal);
                var stream = report.Stream;
                Assert.Equal(($"redis://127.0.0.1:{stage.Redis.Port}", member == holder ? "holder" : "standby", holderId), (stream.Node, stream.Role, stream.Holder));
                Assert.Equal((3, true), (stream.Members, stream.ReachesBack));
                Assert.Matches("^[0-9a-f]{16,40}-[0-9]+-[0-9]+$", stream.Watermark);
                ids.Add(report.Member);
                Assert.Equal(3, report.Members.Select(one => one.Name).Distinct().Count());
            }

            Assert.All(ids, id => Assert.Single(ids, id));
            Assert.Equal(ids.Order(), (await holder.ReportAsync()).Members.Select(one => one.Name).Order());
        });
    }
}
