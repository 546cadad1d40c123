// FaultStage R3, R4, R5: does a cluster that changes its shape cost nothing but what is declared, and bring nothing twice?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R03_ClusterFailoverTests(SharedBroker broker)
{
    [Fact]
    [Trait("Against", "every-redis")]
    public async Task Keys_over_all_slots_expire_once_each()
    {
        await ClusterRig.RunAsync(await broker.GetAsync(), "x", [], async rig =>
        {
            for (var n = 0; n < 3000; n += 100)
                await Task.WhenAll(Enumerable.Range(n, 100).Select(i => rig.Redis.CallAsync("SET", $"k:{i}", "v", "PX", "300")));
            await Eventually.ValueAsync("3,000 events", () => Task.FromResult(rig.Consumer.Count), count => count >= 3000, TimeSpan.FromSeconds(30));
            await Eventually.ValueAsync("the echoes to be held back", () => rig.NumberAsync("ledger.waiting_memory"), waiting => waiting == 0);
            Assert.Equal(3000, rig.Consumer.Received.Select(one => one.Key).Distinct().Count());
            Assert.Equal(3000, rig.Consumer.Count);
            Assert.All(rig.Consumer.Received, one => Assert.Equal("expired", one.Event));
        });
    }

    [Fact]
    public Task R3_A_failover_that_is_asked_for_loses_nothing_and_doubles_nothing() => RunAsync(async (rig, run) =>
    {
        var master = await rig.Redis.MasterOfAsync(0);
        await rig.Redis.FailoverAsync(master);
        await rig.CoveredAsync(3, 3);
        await run.MoreAsync(1000);
        await rig.Redis.FailoverAsync(await rig.Redis.MasterOfAsync(0)); // and back
        await rig.CoveredAsync(3, 3);
    });

    [Fact]
    public Task R3_A_takeover_loses_nothing_outside_declared_gaps() => RunAsync(async (rig, run) =>
    {
        await rig.Redis.TakeoverAsync(await rig.Redis.MasterOfAsync(0));
        await rig.CoveredAsync(3, 3);
    });

    [Fact]
    public Task R3_A_killed_master_is_followed_to_its_replica() => RunAsync(async (rig, run) =>
    {
        var master = await rig.Redis.MasterOfAsync(0);
        await master.KillAsync();
        await rig.Redis.FailedOverAsync(master, 0);
        await rig.CoveredAsync(3, 2);
        await run.MoreAsync(1000);
        await rig.Redis.RestartAsync(master);
        await rig.CoveredAsync(3, 3);
        Assert.NotEmpty(run.Watch.Gaps);
        await Eventually.ValueAsync("no gap to be open", () => rig.NumberAsync("gaps.gaps_open"), open => open == 0);
    });

    [Fact]
    public async Task R3_A_master_that_was_frozen_and_replaced_is_not_forwarded_from_when_it_is_back()
    {
        await ClusterRig.RunAsync(await broker.GetAsync(), "$", [], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(2000);
            var old = await rig.Redis.MasterOfAsync(0);
            old.Freeze();
            RedisServer master;
            try
            {
                master = await rig.Redis.FailedOverAsync(old, 0);
                await rig.CoveredAsync(3, 2);
            }
            finally
            {
                old.Thaw();
            }

            await rig.CoveredAsync(3, 3);
            await run.MoreAsync(1000);
            var verdict = await run.EndAndShowAsync();
            Assert.Empty(verdict.Faults());
            Assert.Equal(0, verdict.Duplicated);
            // What is missing was taken by the old one in the moment of its return, and is gone from Redis too.
            foreach (var key in verdict.Lost.Select(text => text.Split(' ')[0]))
                Assert.Equal(0, (await rig.Redis.CallAsync("EXISTS", key)).Integer);
        });
    }

    [Fact]
    public Task R4_Slots_that_move_lose_nothing() => RunAsync(async (rig, run) =>
        await rig.Redis.ReshardAsync(await rig.Redis.MasterOfAsync(0), await rig.Redis.MasterOfAsync(16383), 1000));

    [Fact]
    public Task R5_A_node_is_covered_before_it_serves_slots_and_given_up_when_it_is_removed() => RunAsync(async (rig, run) =>
    {
        var node = await rig.Redis.AddNodeAsync();
        await rig.CoveredAsync(4, 3);
        await rig.Redis.ReshardAsync(await rig.Redis.MasterOfAsync(0), node, 100);
        await run.MoreAsync(1000);
        await rig.Redis.ReshardAsync(node, await rig.Redis.MasterOfAsync(16383), 100);
        await rig.Redis.RemoveNodeAsync(node);
        await rig.CoveredAsync(3, 3);
    });

    [Fact]
    public async Task R4_What_is_stored_is_sent_though_its_slot_has_moved_meanwhile()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await ClusterRig.RunAsync(rabbit, "$", ["--delivery-mode", "2"], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(1000);
            relay.Cut();
            await Eventually.ValueAsync("events to be stored", rig.Program.AdminInfoAsync, info => info["ledger.waiting_fallback"] != "0", TimeSpan.FromSeconds(30));
            var list = (await rig.ListsAsync())[0];
            var (from, to) = (list.Node, (await rig.Redis.MastersAsync()).First(node => node != list.Node));
            var slot = ClusterSlot.Of(list.Key);
            await rig.Redis.BeginMoveAsync(slot, from, to);
            await RedisClusterServers.MoveKeysAsync(slot, from, to);
            await rig.Redis.EndMoveAsync(slot, to);
            await run.MoreAsync(1000);
            relay.Accept();
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
        }, relay.Port);
    }

    [Fact]
    public async Task R3_What_a_killed_master_had_stored_is_sent_from_its_replica()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await ClusterRig.RunAsync(rabbit, "$", ["--delivery-mode", "2"], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(1000);
            relay.Cut();
            await Eventually.ValueAsync("a list on each master", rig.ListsAsync, lists => lists.Select(list => list.Node).Distinct().Count() == 3, TimeSpan.FromSeconds(30));
            var master = await rig.Redis.MasterOfAsync(0);
            await master.KillAsync();
            await rig.Redis.FailedOverAsync(master, 0);
            await rig.CoveredAsync(3, 2);
            await run.MoreAsync(1000);
            relay.Accept();
            (await run.EndAndShowAsync()).NothingLost();
        }, relay.Port);
    }

    private async Task RunAsync(Func<ClusterRig, FaultRun, Task> act)
    {
        await ClusterRig.RunAsync(await broker.GetAsync(), "$", [], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(2000);
            await act(rig, run);
            await run.MoreAsync(1000);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Equal(0, verdict.Duplicated);
        });
    }
}
