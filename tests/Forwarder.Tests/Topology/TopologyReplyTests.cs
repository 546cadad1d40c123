using System.Text;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Which nodes do answers of Sentinels and of cluster nodes name?</summary>
public sealed class TopologyReplyTests
{
    private static readonly UpstreamAddress Cluster = UpstreamAddress.Parse("redis+cluster://u:p@seed:7000");
    private static readonly UpstreamAddress Sentinel = UpstreamAddress.Parse("redis+sentinel://u:p@seed/m");

    [Fact]
    public void CLUSTER_NODES_names_masters_with_their_slots_and_replicas_with_their_masters()
    {
        var (nodes, epoch) = ClusterNodesReply.Parse(
            """
            a1 10.0.0.1:7001@17001,host-1 myself,master - 0 1 3 connected 0-99 200 [300->-b2] 400-500
            b2 10.0.0.2:7002@17002 master,fail - 0 1 9 connected
            c3 10.0.0.3:7003@17003 slave a1 0 1 3 connected
            d4 :0@0 master,noaddr - 0 1 0 disconnected
            e5 10.0.0.5:7005@17005 handshake - 0 0 0 connected

            """, Cluster, "seed");
        Assert.Equal(3, epoch); // not 9: without slots it may become a replica, and then nobody has that epoch
        Assert.Equal(["a1", "b2", "c3"], nodes.Select(node => node.Id));
        Assert.Equal([new SlotRange(0, 99), new SlotRange(200, 200), new SlotRange(400, 500)], nodes[0].Slots);
        Assert.Equal(("redis://u@10.0.0.1:7001", "p"), (nodes[0].Address.ToString(), nodes[0].Address.Password?.Value));
        Assert.Equal((NodeRole.Master, true), (nodes[1].Role, nodes[1].IsFailing));
        Assert.Equal((NodeRole.Replica, "a1"), (nodes[2].Role, nodes[2].MasterId));
    }

    [Theory]
    [InlineData("redis", ":7001@17001", "seed")] // it knows no address of its own yet
    [InlineData("redis", "?:7001@17001", "seed")]
    [InlineData("redis", "10.0.0.1:7001@17001,name", "10.0.0.1")]
    [InlineData("rediss", "10.0.0.1:7001@17001,name", "name")] // a certificate is for a name
    [InlineData("rediss", "10.0.0.1:7001@17001,,shard-id=x", "10.0.0.1")]
    [InlineData("redis", "fd00::1:7001@17001", "fd00::1")]
    [InlineData("redis", "10.0.0.1:7001", "10.0.0.1")] // before Redis 4
    public void The_place_of_a_node_can_be_connected_to(string scheme, string place, string host)
    {
        var upstream = UpstreamAddress.Parse($"{scheme}+cluster://seed:7000");
        var node = Assert.Single(ClusterNodesReply.Parse($"a1 {place} master - 0 1 3 connected 0-16383\n", upstream, "seed").Nodes);
        Assert.Equal((host, 7001, scheme), (node.Address.Host, node.Address.Port, node.Address.Scheme));
    }

    [Theory]
    [InlineData("10.0.0.1:7001@17001,name", "10.0.0.1", "name")]
    [InlineData("10.0.0.1:7001@17001,name,shard-id=x", "10.0.0.1", "name")]
    [InlineData("10.0.0.1:7001@17001,,shard-id=x", "10.0.0.1")]
    [InlineData("10.0.0.1:7001@17001", "10.0.0.1")]
    [InlineData(":7001@17001,name", "seed", "name")]
    public void All_hosts_that_it_may_be_named_by_are_known(string place, params string[] hosts)
    {
        foreach (var scheme in (string[])["redis", "rediss"])
        {
            var node = Assert.Single(ClusterNodesReply.Parse($"a1 {place} master - 0 1 3 connected 0-16383\n", UpstreamAddress.Parse($"{scheme}+cluster://seed:7000"), "seed").Nodes);
            Assert.Equal(hosts, node.Hosts);
        }
    }

    [Fact]
    public void An_answer_without_nodes_is_no_answer() => Assert.Throws<IOException>(() => ClusterNodesReply.Parse("\n", Cluster, "seed"));

    [Fact]
    public void SENTINEL_MASTER_and_REPLICAS_name_the_master_first()
    {
        var nodes = SentinelReply.Nodes(Sentinel, Flat("ip", "10.0.0.1", "port", "6379", "flags", "master,s_down"),
            List(Flat("ip", "10.0.0.2", "port", "6380", "flags", "slave"), Flat("ip", "", "port", "6381", "flags", "s_down,slave"), Flat("ip", "10.0.0.1", "port", "6379", "flags", "slave")), "seed");
        Assert.Equal(["10.0.0.1:6379", "10.0.0.2:6380", "seed:6381"], nodes.Select(node => node.Id));
        Assert.Equal([(NodeRole.Master, true), (NodeRole.Replica, false), (NodeRole.Replica, true)], nodes.Select(node => (node.Role, node.IsFailing)));
        Assert.Equal("10.0.0.1:6379", nodes[1].MasterId);
        Assert.Equal("p", nodes[1].Address.Password?.Value);
    }

    private static RedisAnswer Flat(params string[] words) => RedisAnswer.Parse(Bytes(words.Select(word => $"${word.Length}\r\n{word}\r\n")));

    private static byte[] Bytes(IEnumerable<string> items)
    {
        var all = items.ToList();
        return Encoding.ASCII.GetBytes($"*{all.Count}\r\n{string.Concat(all)}");
    }

    private static RedisAnswer List(params RedisAnswer[] items) =>
        RedisAnswer.Parse(Bytes(items.Select(item => $"*{item.Items.Count}\r\n{string.Concat(item.Items.Select(word => $"${word.Text.Length}\r\n{word.Text}\r\n"))}")));
}
