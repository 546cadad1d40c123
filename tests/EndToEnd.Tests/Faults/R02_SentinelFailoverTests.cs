// Row R02: does a failover by Sentinel cost nothing but what is declared, and bring nothing twice?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R02_SentinelFailoverTests(SharedBroker broker)
{
    [Fact]
    public async Task A_killed_master_is_followed_to_its_successor_and_nothing_is_lost_outside_the_declared_gap()
    {
        await SentinelRig.RunAsync(await broker.GetAsync(), [], async rig =>
        {
            await using var run = rig.StartRun(through: true);
            await run.MoreAsync(2000);
            var old = await rig.MasterAsync();
            await old.KillAsync();

            var master = await rig.Redis.FailedOverAsync(old);
            var promoted = Stopwatch.StartNew();
            await Eventually.ValueAsync(
                "the new master to be forwarded from", rig.Program.AdminInfoAsync,
                info => Line(info, master).Contains("role=master,topology_role=master", StringComparison.Ordinal) && Line(info, master).Contains("state=subscribed", StringComparison.Ordinal),
                TimeSpan.FromSeconds(2));
            await run.MoreAsync(2000);
            await old.RestartAsync();
            await Eventually.ValueAsync("the old one as replica", rig.Program.AdminInfoAsync, info => Line(info, old).Contains("state=held_back", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
            await run.MoreAsync(1000);

            foreach (var node in rig.Redis.Nodes)
            {
                await Eventually.ValueAsync("the flags", async () => (await node.CallAsync("CONFIG", "GET", "notify-keyspace-events")).Texts[1], flags => flags.Contains('$') && flags.Contains('E'));
            }

            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Equal(0, verdict.Duplicated);
            Assert.NotEmpty(verdict.Gaps);
            Assert.All(verdict.Gaps, gap => Assert.NotNull(gap.To));
            Assert.All(verdict.Gaps, gap => Assert.True(gap.To - gap.From < TimeSpan.FromSeconds(6), gap.Line));
        });
    }

    [Fact]
    [Trait("Against", "every-redis")]
    public async Task A_master_that_is_demoted_while_it_lives_is_followed_without_a_loss()
    {
        // Without min-replicas-to-write the old master would take writes that its demotion throws away.
        await SentinelRig.RunAsync(await broker.GetAsync(), [], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(2000);
            await rig.Redis.FailoverAsync();
            await run.MoreAsync(4000);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Equal(0, verdict.Duplicated);
        }, ["min-replicas-to-write 1"]);
    }

    [Fact]
    public async Task Nothing_of_a_demoted_master_is_forwarded_though_clients_still_write_to_it()
    {
        await SentinelRig.RunAsync(await broker.GetAsync(), [], async rig =>
        {
            var old = await rig.MasterAsync();
            var master = await rig.Redis.FailoverAsync();
            await Eventually.ValueAsync("the old one as replica", rig.Program.AdminInfoAsync, info => Line(info, old).Contains("state=held_back", StringComparison.Ordinal), TimeSpan.FromSeconds(30));

            for (var n = 0; n < 200; n++)
            {
                // The replica is not read-only, so it takes the writes.
                Assert.False((await old.ConnectAndCallAsync("SET", $"stale:{n}", "1")).IsError);
            }

            await master.CallAsync("SET", "true", "1");
            await rig.Consumer.WaitForTextsAsync("0\nset\ntrue");
            await Eventually.ValueAsync("them to be held back", rig.Program.AdminInfoAsync, info => long.Parse(info["upstream.notifications_held_back"], System.Globalization.CultureInfo.InvariantCulture) >= 200);
        }, ["replica-read-only no"]);
    }

    [Fact]
    public async Task What_is_stored_is_followed_to_the_new_master_and_sent_from_there()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await SentinelRig.RunAsync(rabbit, ["--delivery-mode", "2"], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(1000);
            relay.Cut();
            await Eventually.ValueAsync("events to be stored", rig.Program.AdminInfoAsync, info => info["ledger.waiting_fallback"] != "0", TimeSpan.FromSeconds(30));
            await rig.Redis.FailoverAsync();
            await run.MoreAsync(2000);
            // Events wait in memory until the new master is known and can take them.
            await Eventually.ValueAsync("more to be stored", rig.Program.AdminInfoAsync, info => long.Parse(info["ledger.waiting_fallback"], CultureInfo.InvariantCulture) > 1000, TimeSpan.FromSeconds(30));
            relay.Accept();
            var verdict = await run.EndAndShowAsync();
            // This includes events that the old master stored and acknowledged when the new one was promoted already.
            verdict.NothingLost();
            Assert.True(verdict.Recovered > 1000, verdict.ToString());
        }, ["min-replicas-to-write 1"], relay.Port);
    }

    [Fact]
    public async Task What_a_killed_master_had_stored_is_sent_from_its_successor()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await SentinelRig.RunAsync(rabbit, ["--delivery-mode", "2"], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(1000);
            relay.Cut();
            await Eventually.ValueAsync("events to be stored", rig.Program.AdminInfoAsync, info => info["ledger.waiting_fallback"] != "0", TimeSpan.FromSeconds(30));
            var old = await rig.MasterAsync();
            await run.MoreAsync(1000);
            await old.KillAsync();
            await rig.Redis.FailedOverAsync(old);
            await run.MoreAsync(1000);
            relay.Accept();
            (await run.EndAndShowAsync()).NothingLost();
        }, amqpPort: relay.Port);
    }

    [Fact]
    public async Task A_master_frozen_and_thawed_before_anybody_replaced_it_loses_nothing_outside_declared_gaps()
    {
        await SentinelRig.RunAsync(await broker.GetAsync(), [], async rig =>
        {
            await rig.Redis.SetAsync("down-after-milliseconds", "15000");
            await using var run = rig.StartRun();
            await run.MoreAsync(2000);
            var master = await rig.MasterAsync();
            await FreezeAsync(master);
            await run.MoreAsync(2000);
            Assert.Same(master, await rig.Redis.MasterAsync());
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Equal(0, verdict.Duplicated);
        });
    }

    [Fact]
    public async Task A_master_frozen_and_thawed_after_another_took_its_place_is_not_forwarded_from_any_more()
    {
        await SentinelRig.RunAsync(await broker.GetAsync(), [], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(2000);
            var old = await rig.MasterAsync();
            await FreezeAsync(old);
            var master = await rig.Redis.FailedOverAsync(old);
            await Eventually.ValueAsync("the new master to be forwarded from", rig.Program.AdminInfoAsync, info => Line(info, master).Contains("role=master,topology_role=master", StringComparison.Ordinal), TimeSpan.FromSeconds(10));

            await run.MoreAsync(2000);
            await Eventually.ValueAsync("the old one as replica", rig.Program.AdminInfoAsync, info => Line(info, old).Contains("state=held_back", StringComparison.Ordinal), TimeSpan.FromSeconds(40));
            await run.MoreAsync(1000);
            var verdict = await run.EndAndShowAsync();
            Assert.Empty(verdict.Faults());
            Assert.Equal(0, verdict.Duplicated);
            // Only writes may be missing that the old master took after it was replaced. Redis has lost these keys as well.
            foreach (var key in verdict.Lost.Select(text => text.Split(' ')[0]))
            {
                Assert.Equal(0, (await master.CallAsync("EXISTS", key)).Integer);
            }

            Assert.DoesNotContain($":{master.Port} is no longer forwarded from", rig.Program.Process.Tail(2000), StringComparison.Ordinal);
        }, ["min-replicas-to-write 1"]);
    }

    /// <summary>Freezes the node for three seconds. The program waits no longer for a silent node, and the Sentinels need less time.</summary>
    private static async Task FreezeAsync(RedisServer node)
    {
        node.Freeze();
        try
        {
            var since = Stopwatch.StartNew();
            await Eventually.TrueAsync("three seconds to be over", () => since.Elapsed > TimeSpan.FromSeconds(3));
        }
        finally
        {
            node.Thaw();
        }
    }

    private static string Line(IReadOnlyDictionary<string, string> info, RedisServer node) =>
        info.First(field => field.Key.StartsWith("upstream.node_", StringComparison.Ordinal) && field.Value.Contains($":{node.Port},", StringComparison.Ordinal)).Value;
}
