// In a cluster: does each node get the messages of its own stream only, and do they go on when slots move and masters change?
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

[Trait("Against", "every-redis")]
public sealed class ClusterMarkerTests(SharedBroker broker)
{
    [Fact]
    public async Task Each_node_has_a_channel_of_its_own_that_stays_when_slots_move_and_through_a_failover()
    {
        await ClusterRig.RunAsync(await broker.GetAsync(), "$", [], async rig =>
        {
            var before = await EachNodeHasItsOwnAsync(rig);

            var (first, target) = (await rig.Redis.MasterOfAsync(0), await rig.Redis.MasterOfAsync(16383));
            await rig.Redis.BeginMoveAsync(0, first, target);
            await RedisClusterServers.MoveKeysAsync(0, first, target);
            await rig.Redis.EndMoveAsync(0, target);
            Assert.Equal(before, await EachNodeHasItsOwnAsync(rig));

            await rig.Redis.FailoverAsync(first);
            await rig.CoveredAsync(3, 3);
            Assert.Equal(before, await EachNodeHasItsOwnAsync(rig));
            Assert.Equal("", (await rig.Program.AdminInfoAsync())["upstream.remedy"]);
        });
    }

    /// <summary>Every node, replicas too, is subscribed to one channel, named by its run id, and messages come back there.</summary>
    /// <returns>The channels, in the order of the nodes.</returns>
    private static async Task<IReadOnlyList<string>> EachNodeHasItsOwnAsync(ClusterRig rig)
    {
        var channels = new List<string>();
        foreach (var node in rig.Redis.Nodes)
        {
            var run = (await node.CallAsync("INFO", "server")).Text.Split("run_id:")[1][..16];
            var name = $"__keyevt__:marker:{run}";
            await Eventually.TrueAsync($"a channel at the node on port {node.Port}", async () => (await node.CallAsync("PUBSUB", "CHANNELS", "*")).Texts is [var only] && only == name);
            Assert.Empty((await node.CallAsync("PUBSUB", "SHARDCHANNELS", "*")).Items);
            await using var listener = await node.ConnectAsync();
            await listener.CallAsync("SUBSCRIBE", name);
            Assert.Contains($" {run} ", (await listener.ReadReplyAsync()).Items[2].Text, StringComparison.Ordinal);
            channels.Add(name);
        }

        return channels;
    }
}
