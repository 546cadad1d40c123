// Row P13: does the program declare what it missed since it ran last?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class P13_NotRunningTests(SharedBroker broker)
{
    private const string Key = Stage.FallbackKey + "-state";

    [Fact]
    public async Task A_stop_in_good_order_and_a_start_declare_just_the_time_between_also_where_nothing_happened()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting, async stage =>
        {
            await stage.CallAsync("SET", "a", "1");
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 1);
            await SeenAsync(stage, 12);
            var stops = DateTimeOffset.UtcNow;
            Assert.Equal(0, await stage.Program.StopAsync());
            var stopped = DateTimeOffset.UtcNow;
            await stage.Redis.CallAsync("SET", "missed", "1");
            var starts = DateTimeOffset.UtcNow;
            await stage.Program.RestartAsync();

            var gap = await GapAsync(stage.Program.AdminInfoAsync);
            Assert.True(gap.From >= stops.AddMilliseconds(-2) && gap.From <= stopped && gap.To >= starts, $"{stops:O} .. {stopped:O}, {starts:O}: {gap}");
        });
    }

    [Fact]
    public async Task With_state_off_nothing_is_written_and_nothing_is_known()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting with { Options = [.. FaultStage.Setting.Options, "--state", "off"] }, async stage =>
        {
            await stage.CallAsync("SET", "a", "1");
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 1);
            await SeenAsync(stage, 8);
            await stage.Program.StopAsync();
            await stage.Program.RestartAsync();
            await SeenAsync(stage, 4);
            Assert.Equal(0, (await stage.Redis.CallAsync("EXISTS", Key)).Integer);
            Assert.Equal(0, await stage.NumberAsync("gaps.gaps_total"));
        });
    }

    [Fact]
    public async Task In_a_cluster_each_master_has_its_gap_also_where_its_slots_moved_meanwhile()
    {
        await ClusterRig.RunAsync(await broker.GetAsync(), "$", [], async rig =>
        {
            foreach (var master in await rig.Redis.MastersAsync())
            {
                await Eventually.TrueAsync("the state of each master", async () => (await master.CallAsync("KEYS", Key + "*")).Items.Count == 1);
            }

            await rig.Program.KillAsync();
            var masters = await rig.Redis.MastersAsync();
            var lastSlot = masters[0];
            var line = (await rig.Redis.LinesAsync()).Single(one => one.Id == rig.Redis.IdOf(lastSlot));
            await MoveAsync(rig, line.Slots[^1].Last, lastSlot, masters[1]);
            await rig.Program.RestartAsync();

            await Eventually.ValueAsync(
                "a gap of each master", rig.Program.AdminInfoAsync,
                info => masters.All(master => Gaps(info).Count(gap => gap.Cause == "not_running" && gap.Line.Contains($":{master.Port},", StringComparison.Ordinal)) == 1), TimeSpan.FromSeconds(15));

            // A change while the program runs must not become a gap of an earlier run. Here a slot moves, and with it the key of the state; then a master changes.
            var lastOf2 = (await rig.Redis.LinesAsync()).Single(one => one.Id == rig.Redis.IdOf(masters[2])).Slots[^1].Last;
            var before = await StatesAsync(masters[2]);
            await MoveAsync(rig, lastOf2, masters[2], masters[0]);
            await Eventually.TrueAsync("a state under a key of a slot that is left", async () =>
            {
                await rig.Redis.CallAsync("SET", "a" + Guid.NewGuid(), "1");
                return (await StatesAsync(masters[2])).Except(before).Any();
            });
            await rig.Redis.FailoverAsync(masters[1]);
            await rig.CoveredAsync(3, 3);
            var now = Gaps(await rig.Program.AdminInfoAsync());
            Assert.Equal(3, now.Count(gap => gap.Cause == "not_running"));
        });
    }

    [Fact]
    public async Task Behind_Sentinel_a_failover_between_two_lives_is_part_of_the_gap_and_a_later_one_is_not()
    {
        await SentinelRig.RunAsync(await broker.GetAsync(), [], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(3000);
            await rig.Program.KillAsync();
            await FailoverAsync(rig);
            await run.KillProgramAsync();
            await Eventually.ValueAsync("the gap", rig.Program.AdminInfoAsync, info => Gaps(info).Any(gap => gap.Cause == "not_running"));
            await run.MoreAsync(1000);
            await FailoverAsync(rig);
            await run.MoreAsync(4000);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Single(verdict.Gaps, gap => gap.Cause == "not_running");
        }, ["min-replicas-to-write 1"]);
    }

    /// <summary>Asks for a failover, and waits until all nodes agree on the new master.</summary>
    private static async Task FailoverAsync(SentinelRig rig)
    {
        await rig.Redis.FailoverAsync();
        await Eventually.TrueAsync("one master, and two replicas of it", async () =>
        {
            var roles = await Task.WhenAll(rig.Redis.Nodes.Select(SentinelServers.RoleAsync));
            var master = await rig.MasterAsync();
            var replication = (await master.CallAsync("INFO", "replication")).Text;
            return roles.Count(role => role == "master") == 1 && replication.Contains("role:master", StringComparison.Ordinal) && replication.Contains("connected_slaves:2", StringComparison.Ordinal);
        });
    }

    private static async Task SeenAsync(Stage stage, int markers)
    {
        var seen = await stage.NumberAsync("upstream.markers_seen");
        await stage.WaitForNumberAsync("upstream.markers_seen", now => now >= seen + markers);
    }

    private static async Task<DeclaredGap> GapAsync(Func<Task<IReadOnlyDictionary<string, string>>> ask) =>
        Assert.Single(Gaps(await Eventually.ValueAsync("a gap", ask, info => info["gaps.gaps_total"] != "0")), gap => gap.Cause == "not_running");

    private static List<DeclaredGap> Gaps(IReadOnlyDictionary<string, string> info) =>
        [.. info.Where(field => field.Key.StartsWith("gaps.gap_", StringComparison.Ordinal)).Select(field => DeclaredGap.Parse(field.Key, field.Value))];

    private static async Task<IReadOnlyList<string>> StatesAsync(RedisServer node) => (await node.CallAsync("KEYS", Key + "*")).Texts;

    private static async Task MoveAsync(ClusterRig rig, int slot, RedisServer from, RedisServer to)
    {
        await rig.Redis.BeginMoveAsync(slot, from, to);
        await RedisClusterServers.MoveKeysAsync(slot, from, to);
        await rig.Redis.EndMoveAsync(slot, to);
    }
}
