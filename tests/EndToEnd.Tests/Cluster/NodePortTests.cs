// Does a client that comes in by the port of a cluster's node stay behind the proxy, whatever happens to the nodes?
using System.Globalization;
using System.Text.RegularExpressions;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class NodePortTests
{
    [Fact]
    [Trait("Against", "every-redis")]
    public async Task All_that_names_nodes_names_the_node_ports_in_both_protocols()
    {
        await using var stage = await NodePortStage.StartAsync();
        var real = stage.Cluster.Nodes.Select(node => node.Port).ToHashSet();
        var nodePorts = (await stage.NodePortsAsync()).Values.ToHashSet();
        Assert.Equal(6, nodePorts.Count);
        Assert.Equal(Enumerable.Range(stage.BasePort, 6), nodePorts.Order());
        foreach (var port in (int[])[stage.Program.Port, .. nodePorts])
        {
            await using var client = await RespClient.ConnectAsync(port);
            foreach (var protocol in (string[])["2", "3"])
            {
                await client.CallAsync("HELLO", protocol);
                foreach (var question in (string[][])[["CLUSTER", "SLOTS"], ["cluster", "shards"], ["CLUSTER", "NODES"]])
                {
                    var answer = (await client.CallAsync(question)).ToString();
                    var named = Regex.Matches(answer, @"(?<=:)1\d{4}|(?<=:)[2-9]\d{4}").Select(match => int.Parse(match.Value, CultureInfo.InvariantCulture)).ToHashSet();
                    Assert.InRange(named.Count(nodePorts.Contains), 3, 6); // SLOTS leaves replicas out that have received nothing yet
                    Assert.DoesNotContain(named, real.Contains);
                }
            }

            var myId = (await client.CallAsync("CLUSTER", "MYID")).Text;
            if (port != stage.Program.Port) Assert.Equal(port, (await stage.NodePortsAsync())[myId]);
        }

        var replicas = await stage.Program.CallAsync("CLUSTER", "REPLICAS", stage.Cluster.IdOf(stage.Cluster.Nodes[0]));
        Assert.Contains($" 127.0.0.1:{await stage.NodePortOfAsync(stage.Cluster.Nodes[3])}@", Assert.Single(replicas.Texts).Insert(40, " ").Replace("  ", " ", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_for_which_no_port_is_left_is_named_by_readyz()
    {
        await using var cluster = await RedisClusterServers.StartAsync(3, 0);
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", cluster.Url, "--listen-base", "65534", "--amqp", "amqp://guest:guest@127.0.0.1:1/"], waitReady: false);
        var (status, body) = await Eventually.ValueAsync("the missing node port", () => program.GetAsync("/readyz"), answer => answer.Body.Contains("cannot be reached", StringComparison.Ordinal) && !answer.Body.Contains("master", StringComparison.Ordinal));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("cannot be reached, as no port from 65534 on is free", body, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Against", "every-redis")]
    public async Task Redis_cli_follows_redirections_through_the_node_ports()
    {
        await using var stage = await NodePortStage.StartAsync(3, 0);
        var keys = Enumerable.Range(0, 60).Select(n => $"key:{n}").ToList();
        var set = await stage.Program.Cli.RunWithAsync(["-c"], System.Text.Encoding.ASCII.GetBytes(string.Concat(keys.Select(key => $"SET {key} {key}\n"))));
        Assert.Equal(60, set.Output.Split('\n').Count(line => line == "OK"));
        var get = await stage.Program.Cli.RunWithAsync(["-c"], System.Text.Encoding.ASCII.GetBytes(string.Concat(keys.Select(key => $"GET {key}\n"))));
        Assert.Equal(keys, get.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("->", StringComparison.Ordinal)));
        foreach (var node in stage.Cluster.Nodes) Assert.True((await node.CallAsync("DBSIZE")).Integer > 5);
    }

    [Fact]
    [Trait("Against", "every-redis")]
    public async Task Moved_and_ask_lead_to_the_node_ports_and_never_touch_a_value()
    {
        await using var stage = await NodePortStage.StartAsync(3, 0);
        var (from, to) = (stage.Cluster.Nodes[0], stage.Cluster.Nodes[1]);
        var (fromPort, toPort) = (await stage.NodePortOfAsync(from), await stage.NodePortOfAsync(to));
        var (here, there) = (ClusterSlot.KeyIn(7), ClusterSlot.KeyIn(6000));
        await using var client = await RespClient.ConnectAsync(fromPort);
        Assert.Equal($"MOVED 6000 127.0.0.1:{toPort}", (await client.CallAsync("GET", there)).Text);

        var like = $"-MOVED 6000 127.0.0.1:{to.Port}\r\n";
        await client.CallAsync("SET", here, like);
        Assert.Equal(like, (await client.CallAsync("GET", here)).Text);
        Assert.Equal([like], (await client.CallAsync("MGET", here)).Texts);

        // What Redis itself never does inside EXEC, a script can: that is data.
        var nested = await client.CallAsync("EVAL", $"return {{redis.error_reply('MOVED 6000 127.0.0.1:{to.Port}')}}", "0");
        Assert.Equal($"MOVED 6000 127.0.0.1:{to.Port}", nested.Items[0].Text);

        Assert.Equal("OK", (await client.CallAsync("MULTI")).Text);
        Assert.Equal($"MOVED 6000 127.0.0.1:{toPort}", (await client.CallAsync("GET", there)).Text);
        Assert.StartsWith("EXECABORT", (await client.CallAsync("EXEC")).Text, StringComparison.Ordinal);

        // Queued here, and gone before it runs: the transaction is redirected as a whole.
        Assert.Equal("OK", (await client.CallAsync("MULTI")).Text);
        Assert.Equal("QUEUED", (await client.CallAsync("GET", here)).Text);
        await stage.Cluster.BeginMoveAsync(7, from, to);
        await RedisClusterServers.MoveKeysAsync(7, from, to);
        Assert.Equal($"ASK 7 127.0.0.1:{toPort}", (await client.CallAsync("EXEC")).Text);
        Assert.Equal($"ASK 7 127.0.0.1:{toPort}", (await client.CallAsync("GET", here)).Text);
        await stage.Cluster.EndMoveAsync(7, to);
        Assert.Equal($"MOVED 7 127.0.0.1:{toPort}", (await client.CallAsync("GET", here)).Text);
        Assert.Equal(like, (await (await RespClient.ConnectAsync(toPort)).CallAsync("GET", here)).Text);
    }

    [Fact]
    public async Task A_new_node_gets_a_node_port_and_the_node_port_of_a_removed_one_closes()
    {
        await using var stage = await NodePortStage.StartAsync(3, 0);
        var before = await stage.NodePortsAsync();
        var added = await stage.Cluster.AddNodeAsync();
        await Eventually.TrueAsync("a node port for the new node", async () => (await stage.NodePortsAsync()).ContainsKey(stage.Cluster.IdOf(added)));
        var nodePort = await stage.NodePortOfAsync(added);
        Assert.Equal(stage.BasePort + 3, nodePort);
        await stage.Cluster.ReshardAsync(stage.Cluster.Nodes[0], added, 10);
        await using (var client = await RespClient.ConnectAsync(await stage.NodePortOfAsync(stage.Cluster.Nodes[0])))
        {
            Assert.Equal($"MOVED 5 127.0.0.1:{nodePort}", (await client.CallAsync("GET", ClusterSlot.KeyIn(5))).Text);
        }

        await stage.Cluster.ReshardAsync(added, stage.Cluster.Nodes[0], 10);
        await stage.Cluster.RemoveNodeAsync(added);
        await Eventually.TrueAsync("the node port to be closed", () => FreePorts.IsFree(nodePort));
        Assert.Equal(before, await stage.NodePortsAsync());

        var another = await stage.Cluster.AddNodeAsync();
        await Eventually.TrueAsync("a node port for another node", async () => (await stage.NodePortsAsync()).ContainsKey(stage.Cluster.IdOf(another)));
        Assert.Equal(nodePort, await stage.NodePortOfAsync(another));
    }

    [Fact]
    public async Task A_replication_stream_passes_a_node_port_as_it_is()
    {
        await using var stage = await NodePortStage.StartAsync(1, 0);
        await stage.Cluster.Nodes[0].CallAsync("SET", "k", new string('x', 100_000));
        using var folder = new PrivateFolder("rdb");
        var dumped = await new RedisCli(await stage.NodePortOfAsync(stage.Cluster.Nodes[0])).RunWithAsync(["--rdb", folder.File("dump.rdb")]);
        Assert.True(dumped.ExitCode == 0, dumped.ToString());
        Assert.StartsWith("REDIS", System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(folder.File("dump.rdb"), TestContext.Current.CancellationToken)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_announce_host_that_is_what_clients_are_told()
    {
        await using var stage = await NodePortStage.StartAsync(3, 0, null, "--announce-host", "localhost");
        var slots = (await stage.Program.CallAsync("CLUSTER", "SLOTS")).ToString();
        Assert.Contains($"$9\\r\\nlocalhost\\r\\n:{stage.BasePort}\\r\\n", slots, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", slots, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_node_port_of_a_dead_node_refuses_and_lets_in_again_when_the_node_is_back()
    {
        await using var stage = await NodePortStage.StartAsync(3, 0);
        var node = stage.Cluster.Nodes[1];
        var nodePort = await stage.NodePortOfAsync(node);
        await using (var client = await RespClient.ConnectAsync(nodePort)) Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
        await RedisClusterServers.KillAsync(node);
        await Eventually.TrueAsync("the node port to refuse", async () =>
        {
            try
            {
                await using var client = await RespClient.ConnectAsync(nodePort);
                Assert.Equal("", await client.ReadTextToEndAsync()); // until the refusal is known: reset, and no answer
                return false;
            }
            catch (System.Net.Sockets.SocketException e) when (e.SocketErrorCode == System.Net.Sockets.SocketError.ConnectionRefused)
            {
                return true;
            }
        });
        Assert.Equal("PONG", (await stage.Program.CallAsync("PING")).Text); // --listen leads to a master that lives

        await stage.Cluster.RestartAsync(node);
        await Eventually.TrueAsync("the node port to let in again", async () =>
        {
            await using var client = await RespClient.ConnectAsync(nodePort);
            return (await client.CallAsync("PING")).Text == "PONG";
        });
    }
}
