// Does a client stay behind the node port when the nodes call each other by names, or by nothing at all?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class NodePortHostNameTests
{
    [Theory]
    [InlineData("hostname", true)]
    [InlineData("hostname", false)] // then a node is called "?"
    [InlineData("unknown-endpoint", true)]
    [InlineData("ip", true)]
    public async Task Whatever_endpoint_is_preferred_all_redirections_and_answers_name_the_node_ports(string preferred, bool haveNames)
    {
        await using var stage = await NodePortStage.StartAsync(3, 0);
        var nodes = stage.Cluster.Nodes;
        foreach (var (index, node) in nodes.Index())
        {
            if (haveNames) await node.CallAsync("CONFIG", "SET", "cluster-announce-hostname", Name(index));
            await node.CallAsync("CONFIG", "SET", "cluster-preferred-endpoint-type", preferred);
        }

        if (haveNames)
        {
            await Eventually.TrueAsync("all nodes to know all names", async () =>
            {
                foreach (var node in nodes)
                {
                    var text = (await node.CallAsync("CLUSTER", "NODES")).Text;
                    if (!Enumerable.Range(0, nodes.Count).All(index => text.Contains(Name(index), StringComparison.Ordinal))) return false;
                }

                return true;
            });
        }

        var nodePorts = new List<int>();
        foreach (var node in nodes) nodePorts.Add(await stage.NodePortOfAsync(node));
        int[] slots = [7, 6000, 12000]; // of the first, second, third master
        for (var from = 0; from < 3; from++)
        {
            await using var client = await RespClient.ConnectAsync(nodePorts[from]);
            for (var to = 0; to < 3; to++)
            {
                if (from == to) continue;
                Assert.Equal($"MOVED {slots[to]} 127.0.0.1:{nodePorts[to]}", (await client.CallAsync("GET", ClusterSlot.KeyIn(slots[to]))).Text);
            }

            foreach (var protocol in (string[])["2", "3"])
            {
                await client.CallAsync("HELLO", protocol);
                foreach (var question in (string[])["SLOTS", "SHARDS", "NODES"])
                {
                    var answer = (await client.CallAsync("CLUSTER", question)).ToString();
                    Assert.All(nodePorts, nodePort => Assert.Contains(Text(nodePort), answer, StringComparison.Ordinal));
                    Assert.DoesNotContain(".redis.example", answer, StringComparison.Ordinal);
                    Assert.All(nodes, node => Assert.DoesNotContain($":{Text(node.Port)}", answer, StringComparison.Ordinal));
                }
            }
        }

        // The same for ASK.
        await stage.Cluster.BeginMoveAsync(7, nodes[0], nodes[1]);
        await using (var client = await RespClient.ConnectAsync(nodePorts[0]))
        {
            Assert.Equal($"ASK 7 127.0.0.1:{nodePorts[1]}", (await client.CallAsync("GET", ClusterSlot.KeyIn(7))).Text);
        }

        Assert.DoesNotContain("past the proxy", stage.Program.Process.AllText, StringComparison.Ordinal);
    }

    private static string Name(int index) => $"node-{Text(index)}.redis.example";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
