// Are all masters heard again after a failover?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class MergeFailoverTests
{
    [Fact]
    [Trait("Against", "every-redis")]
    public async Task After_a_failover_and_with_a_new_master_all_are_heard_again()
    {
        await using var stage = await FanInStage.StartAsync();
        await using var client = await RespClient.ConnectAsync(await stage.NodePortOfAsync(stage.Cluster.Nodes[0]));
        await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        // This master is not the one that the client is connected to.
        await stage.Cluster.FailoverAsync(stage.Cluster.Nodes[1]);
        await FanInStage.HearsAllAsync(stage, client);
        // This is the master that the client is connected to. It becomes a replica.
        await stage.Cluster.FailoverAsync(stage.Cluster.Nodes[0]);
        await FanInStage.HearsAllAsync(stage, client);

        var added = await stage.Cluster.AddNodeAsync();
        await stage.Cluster.ReshardAsync(await stage.Cluster.MasterOfAsync(7), added, 20);
        await FanInStage.HearsAllAsync(stage, client);
        Assert.Equal(stage.Cluster.IdOf(added), stage.Cluster.IdOf(await stage.Cluster.MasterOfAsync(7)));
    }

    [Fact]
    public async Task After_a_master_was_killed_its_successor_is_heard()
    {
        await using var stage = await FanInStage.StartAsync();
        await using var client = await RespClient.ConnectAsync(await stage.NodePortOfAsync(stage.Cluster.Nodes[0]));
        await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        await RedisClusterServers.KillAsync(stage.Cluster.Nodes[1]);
        await stage.Cluster.FailedOverAsync(stage.Cluster.Nodes[1], 6000);
        await FanInStage.HearsAllAsync(stage, client);
    }
}
