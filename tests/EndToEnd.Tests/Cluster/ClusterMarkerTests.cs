// In a cluster: does each node get its own markers only, and do they go on when slots move and masters change?
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

[Trait("Against", "every-redis")]
public sealed class ClusterMarkerTests(SharedBroker broker)
{
    [Fact]
    public async Task Each_shard_has_a_channel_of_its_own_that_moves_with_its_slots_and_through_a_failover()
    {
        await ClusterRig.RunAsync(await broker.GetAsync(), "$", [], async rig =>
        {
            await EachShardHasItsOwnAsync(rig);
            foreach (var node in rig.Redis.Nodes) Assert.Empty((await node.CallAsync("PUBSUB", "CHANNELS", "*")).Items);

            // The slot of the first shard's channel goes to another one.
            var first = await rig.Redis.MasterOfAsync(0);
            var slot = ClusterSlot.Of(Assert.Single(await ChannelsAsync(first)));
            var target = await rig.Redis.MasterOfAsync(16383);
            await rig.Redis.BeginMoveAsync(slot, first, target);
            await RedisClusterServers.MoveKeysAsync(slot, first, target);
            await rig.Redis.EndMoveAsync(slot, target);
            await EachShardHasItsOwnAsync(rig);

            await rig.Redis.FailoverAsync(first);
            await rig.CoveredAsync(3, 3);
            await EachShardHasItsOwnAsync(rig);
            Assert.Equal("", (await rig.Program.AdminInfoAsync())["upstream.remedy"]);
        });
    }

    /// <summary>Every node, replicas too, is subscribed to one channel whose slot is its shard's, and markers come back there.</summary>
    private static async Task EachShardHasItsOwnAsync(ClusterRig rig)
    {
        foreach (var master in await rig.Redis.MastersAsync())
        {
            foreach (var node in (RedisServer[])[master, .. await rig.Redis.ReplicasOfAsync(master)])
            {
                await Eventually.TrueAsync($"a channel at the node on port {node.Port}, of its shard", async () =>
                    await ChannelsAsync(node) is [var channel] && await rig.Redis.MasterOfAsync(channel) == master);
            }

            var name = Assert.Single(await ChannelsAsync(master));
            await using var listener = await master.ConnectAsync();
            await listener.CallAsync("SSUBSCRIBE", name);
            var instances = new HashSet<string>();
            for (var n = 0; n < 12 && instances.Count < 2; n++)
            {
                instances.Add((await listener.ReadReplyAsync()).Items[2].Text.Split(':')[0]);
            }

            Assert.Equal(2, instances.Count); // the master's own, and its replica's
        }
    }

    private static async Task<IReadOnlyList<string>> ChannelsAsync(RedisServer node) =>
        [.. (await node.CallAsync("PUBSUB", "SHARDCHANNELS", "__keyevt__:*")).Items.Select(item => item.Text)];
}
