// Does the test cluster itself do what the tests rely on?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Servers;

public sealed class PrivateClusterTests
{
    [Fact]
    public async Task A_cluster_serves_all_slots_and_changes_its_masters_on_demand()
    {
        await using var cluster = await RedisClusterServers.StartAsync();
        var first = await cluster.MasterOfAsync(0);
        Assert.Same(cluster.Nodes[0], first);
        Assert.Same(cluster.Nodes[3], Assert.Single(await cluster.ReplicasOfAsync(first)));
        await cluster.CallAsync("SET", "a", "1");

        var second = await cluster.FailoverAsync(first);
        Assert.Same(cluster.Nodes[3], second);
        Assert.Same(second, await cluster.MasterOfAsync(0));
        Assert.Same(first, await cluster.TakeoverAsync(second));

        // another one: Redis counts the votes of an election once more when the same replica stands again within seconds
        var (third, fourth) = (cluster.Nodes[1], cluster.Nodes[4]);
        await RedisClusterServers.KillAsync(third);
        Assert.Same(fourth, await cluster.FailedOverAsync(third, slot: 6000));
        await cluster.RestartAsync(third);
        Assert.Equal([third], await cluster.ReplicasOfAsync(fourth));
        Assert.Equal("1", (await cluster.CallAsync("GET", "a")).Text);
    }

    [Fact]
    public async Task A_cluster_moves_slots_with_their_keys_and_takes_nodes_in_and_out()
    {
        await using var cluster = await RedisClusterServers.StartAsync(3, 0);
        var added = await cluster.AddNodeAsync();
        var key = ClusterSlot.KeyIn(7);
        await cluster.CallAsync("SET", key, "v");

        await cluster.ReshardAsync(cluster.Nodes[0], added, 20);
        Assert.Same(added, await cluster.MasterOfAsync(7));
        Assert.Equal("v", (await added.CallAsync("GET", key)).Text);

        await cluster.ReshardAsync(added, cluster.Nodes[1], 20);
        await cluster.RemoveNodeAsync(added);
        Assert.Equal(3, cluster.Nodes.Count);
        Assert.Equal("v", (await cluster.CallAsync("GET", key)).Text);
    }
}
