// What does a group do while no member reaches the broker?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class GroupFallbackTests(SharedBroker broker)
{
    [Fact]
    public async Task Each_event_is_stored_once_and_arrives_in_its_order_when_the_broker_is_back()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            await stage.UnderWayAsync();
            stage.Relay.Cut();
            await StoredAsync(stage, 100);
            var before = run.Acknowledged;
            await run.MoreAsync(500);
            await run.StopWritingAsync();
            var due = run.Acknowledged - before;

            // What nobody has confirmed yet is stored too.
            var stored = await Eventually.ValueAsync("all events to be stored", () => KeysAsync(stage), keys => keys.Count >= due && keys.Contains(OracleKey.Of(run.Name, 0, (int)run.Acknowledged - 1)));
            Assert.Equal(stored.Order().Distinct(), stored.Order());
            stage.Relay.Accept();
            var verdict = await run.NothingIsMissingAsync();
            Assert.True(verdict.Recovered >= due, verdict.ToString());
        });
    }

    [Fact]
    public async Task When_the_holder_is_killed_while_events_are_stored_another_stores_on_and_nothing_is_missing()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            stage.Relay.Cut();
            await StoredAsync(stage, 200);
            await stage.KillAsync(holder);
            await stage.HolderAsync(holder, GroupTest.Takeover);
            var length = await run.Watch.FallbackLengthAsync();
            await StoredAsync(stage, length + 200);
            await run.Watch.LookIntoFallbackAsync();
            stage.Relay.Accept();
            await run.MoreAsync(300);
            var verdict = await run.NothingIsMissingAsync();
            Assert.True(verdict.Recovered >= 400, verdict.ToString());
        });
    }

    [Fact]
    public async Task When_the_holder_is_killed_while_the_list_is_drained_another_drains_on_and_nothing_is_missing()
    {
        await GroupTest.RunAsync(broker, new GroupSetting(), async (stage, run) =>
        {
            await stage.UnderWayAsync();
            stage.Relay.Cut();
            await StoredAsync(stage, 500);
            var before = await ConfirmedAsync(stage);
            stage.Relay.Delay = TimeSpan.FromMilliseconds(100); // so that the drain takes its time
            stage.Relay.Accept();
            await Eventually.ValueAsync("the drain to begin", () => ConfirmedAsync(stage), confirmed => confirmed > before);
            var holder = await stage.HolderAsync(); // whoever reached the broker first
            await stage.KillAsync(holder);
            stage.Relay.Delay = TimeSpan.Zero;
            await stage.HolderAsync(holder, GroupTest.Takeover);
            await run.MoreAsync(300);
            await run.NothingIsMissingAsync();
        });
    }

    private static async Task<long> ConfirmedAsync(GroupStage stage)
    {
        var infos = await Task.WhenAll(stage.Members.Select(member => member.Program.AdminInfoAsync()));
        return infos.Sum(info => long.Parse(info["ledger.confirmed"], CultureInfo.InvariantCulture));
    }

    private static Task StoredAsync(GroupStage stage, long count) =>
        Eventually.ValueAsync($"{count} stored events", stage.Run.Watch.FallbackLengthAsync, length => length >= count, TimeSpan.FromSeconds(20));

    /// <summary>The keys of the stored events, as often as they are stored.</summary>
    private static async Task<List<string>> KeysAsync(GroupStage stage) =>
        [.. (await stage.Redis.CallAsync("LRANGE", FallbackList.Name, "0", "-1")).Texts.Select(entry => entry[(entry.LastIndexOf('\n') + 1)..])];
}
