// Is the configuration of a group the same for all nodes of a replica set or a cluster?
using System.Collections.Concurrent;
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class NodesConfigurationTests(SharedBroker broker)
{
    [Fact]
    public async Task Behind_Sentinel_a_change_outlives_a_failover_and_takes_no_event_along()
    {
        await using var stage = await GroupStage.SetBehindSentinelAsync(await broker.GetAsync(), new GroupSetting(), "min-replicas-to-write 1");
        await GroupTest.RunAsync(stage, async (_, run) =>
        {
            await stage.UnderWayAsync();
            await run.MoreAsync(500);
            await ChangeAsync(stage, "^x:");
            await run.MoreAsync(500);
            var master = await stage.Sentinel.FailoverAsync();
            await stage.UnderWayAsync();
            await ChangeAsync(stage, "^y:");
            await ConfigTest.AllHaveAsync(stage, "^t:", "^x:", "^y:");
            (await run.EndAndShowAsync()).NothingLost();
            var arrived = Arriving(stage);
            foreach (var key in (string[])["x:1", "y:1"]) Assert.Equal("OK", (await master.CallAsync("SET", key, "v")).Text);
            await ArrivedAsync(arrived, "x:1", "y:1");
        });
    }

    [Fact]
    public async Task In_a_cluster_a_change_is_in_force_at_all_nodes_and_kept_for_who_starts_later()
    {
        await using var stage = await GroupStage.SetBeforeClusterAsync(await broker.GetAsync(), new GroupSetting());
        await GroupTest.RunAsync(
            stage,
            async (_, run) =>
            {
                await run.MoreAsync(500);
                await ChangeAsync(stage, "^x:");
                await run.MoreAsync(500);
                await stage.KillAsync(stage.Members[1]);
                await stage.Members[1].StartAgainAsync();
                await ConfigTest.AllHaveAsync(stage, "^t:", "^x:");
                await ChangeAsync(stage, "^y:");
                (await run.EndAndShowAsync()).NothingLost();
                await SetAsync(stage, "x", 30);
                await SetAsync(stage, "y", 30);
            },
            isInStep: false);
    }

    /// <summary>Each member gets a mask more by a command that another member is given.</summary>
    private static async Task ChangeAsync(GroupStage stage, string mask)
    {
        Assert.Equal("OK", (await stage.Members[^1].Program.CallAsync("key_evt_amqp.keymask_add", mask)).Text);
        foreach (var member in stage.Members.Where(member => member.IsAnswering))
        {
            await Eventually.ValueAsync($"{mask} at {member}", () => ConfigTest.MasksAsync(member), seen => seen.Contains(mask));
        }
    }

    /// <summary>Writes keys at all masters, and waits for their events.</summary>
    private static async Task SetAsync(GroupStage stage, string prefix, int count)
    {
        var arrived = Arriving(stage);
        string[] keys = [.. Enumerable.Range(0, count).Select(i => $"{prefix}:{i}")];
        foreach (var key in keys)
        {
            var master = await stage.Cluster.MasterOfAsync(ClusterSlot.Of(key));
            Assert.Equal("OK", (await master.CallAsync("SET", key, "v")).Text);
        }

        await ArrivedAsync(arrived, keys);
    }

    /// <summary>The keys of the events that come from now on. What the run gets is no longer with the consumer.</summary>
    private static ConcurrentDictionary<string, bool> Arriving(GroupStage stage)
    {
        var arrived = new ConcurrentDictionary<string, bool>();
        stage.Consumer.OnReceived = message => arrived[message.Key] = true;
        return arrived;
    }

    private static Task ArrivedAsync(ConcurrentDictionary<string, bool> arrived, params string[] keys) => Eventually.ValueAsync(
        "the events of all keys",
        () => Task.FromResult(string.Join(' ', keys.Except(arrived.Keys))),
        static missing => missing.Length == 0);
}
