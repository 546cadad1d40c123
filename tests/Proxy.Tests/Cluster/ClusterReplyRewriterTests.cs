using System.Text;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Cluster;
using KeyEvt.Resp;
using Xunit;

namespace KeyEvt.Proxy.Tests.Cluster;

/// <summary>What becomes of the addresses in CLUSTER replies, and of everything else in them?</summary>
public sealed class ClusterReplyRewriterTests
{
    private static readonly string One = NodePorts.One, Two = NodePorts.Two, New = new('9', 40);

    [Fact]
    public void Slots_name_the_node_ports()
    {
        Rewrites(ClusterQuestion.Slots,
            $"*1\r\n*4\r\n:0\r\n:99\r\n*4\r\n$8\r\n10.0.0.1\r\n:6379\r\n$40\r\n{One}\r\n*0\r\n*4\r\n$8\r\n10.0.0.2\r\n:6379\r\n$40\r\n{Two}\r\n*0\r\n",
            $"*1\r\n*4\r\n:0\r\n:99\r\n*4\r\n$5\r\nproxy\r\n:7001\r\n$40\r\n{One}\r\n*0\r\n*4\r\n$5\r\nproxy\r\n:7002\r\n$40\r\n{Two}\r\n*0\r\n");
    }

    [Fact]
    public void Slots_of_old_and_new_servers_keep_their_further_fields()
    {
        Rewrites(ClusterQuestion.Slots, $"*1\r\n*3\r\n:0\r\n:99\r\n*3\r\n$8\r\n10.0.0.1\r\n:6379\r\n$40\r\n{One}\r\n", $"*1\r\n*3\r\n:0\r\n:99\r\n*3\r\n$5\r\nproxy\r\n:7001\r\n$40\r\n{One}\r\n");
        Rewrites(ClusterQuestion.Slots,
            $"*1\r\n*3\r\n:0\r\n:99\r\n*5\r\n$-1\r\n:6379\r\n$40\r\n{One}\r\n%2\r\n$2\r\nip\r\n$8\r\n10.0.0.1\r\n$8\r\nhostname\r\n$0\r\n\r\n*1\r\n+z\r\n",
            $"*1\r\n*3\r\n:0\r\n:99\r\n*5\r\n$5\r\nproxy\r\n:7001\r\n$40\r\n{One}\r\n%2\r\n$2\r\nip\r\n$5\r\nproxy\r\n$8\r\nhostname\r\n$0\r\n\r\n*1\r\n+z\r\n");
    }

    [Theory]
    [InlineData("*", 2)]
    [InlineData("%", 1)]
    public void Shards_name_the_node_ports_in_both_protocols(string map, int factor)
    {
        string Shard(string host, int port, int tls) =>
            $"*1\r\n{map}{2 * factor}\r\n$5\r\nslots\r\n*2\r\n:0\r\n:99\r\n$5\r\nnodes\r\n*1\r\n{map}{8 * factor}\r\n$2\r\nid\r\n$40\r\n{One}\r\n$4\r\nport\r\n:{port}\r\n$8\r\ntls-port\r\n:{tls}\r\n"
            + $"$2\r\nip\r\n${host.Length}\r\n{host}\r\n$8\r\nendpoint\r\n${host.Length}\r\n{host}\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$18\r\nreplication-offset\r\n:14\r\n$6\r\nhealth\r\n$6\r\nonline\r\n";
        Rewrites(ClusterQuestion.Shards, Shard("10.0.0.1", 6379, 6380), Shard("proxy", 7001, 7001));
    }

    [Fact]
    public void Nodes_name_the_node_ports_as_bulk_and_as_verbatim_text()
    {
        var text = $"{One} 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-99 [5->-{Two}]\n{Two} 10.0.0.2:6379@16379,node2.example,shard-id=x slave {One} 0 0 1 connected\n";
        var expected = $"{One} proxy:7001@16379 myself,master - 0 0 1 connected 0-99 [5->-{Two}]\n{Two} proxy:7002@16379,proxy,shard-id=x slave {One} 0 0 1 connected\n";
        Rewrites(ClusterQuestion.Nodes, $"${text.Length}\r\n{text}\r\n", $"${expected.Length}\r\n{expected}\r\n");
        Rewrites(ClusterQuestion.Nodes, $"={text.Length + 4}\r\ntxt:{text}\r\n", $"={expected.Length + 4}\r\ntxt:{expected}\r\n");
    }

    [Fact]
    public void Replicas_are_lines_too()
    {
        var line = $"{Two} :6379@16379 slave {One} 0 0 1 connected"; // a node that does not know its own address
        var expected = $"{Two} proxy:7002@16379 slave {One} 0 0 1 connected";
        Rewrites(ClusterQuestion.Replicas, $"*1\r\n${line.Length}\r\n{line}\r\n", $"*1\r\n${expected.Length}\r\n{expected}\r\n");
        Rewrites(ClusterQuestion.Replicas, "*0\r\n", "*0\r\n");
    }

    [Fact]
    public void A_node_without_a_node_port_stays_as_it_is_and_is_named()
    {
        var slots = $"*1\r\n*3\r\n:0\r\n:99\r\n*4\r\n$8\r\n10.0.0.9\r\n:6379\r\n$40\r\n{New}\r\n*0\r\n";
        Rewrites(ClusterQuestion.Slots, slots, slots, unknown: New);
        var line = $"{New} 10.0.0.9:6379@16379 master - 0 0 1 connected\n";
        Rewrites(ClusterQuestion.Nodes, $"${line.Length}\r\n{line}\r\n", $"${line.Length}\r\n{line}\r\n", unknown: New);
    }

    [Theory]
    [InlineData("master,fail")]
    [InlineData("master,noaddr")]
    [InlineData("handshake")]
    public void A_node_that_nobody_can_reach_is_not_waited_for(string flags)
    {
        var line = $"{New} :0@0 {flags} - 0 0 1 disconnected\n";
        Rewrites(ClusterQuestion.Nodes, $"${line.Length}\r\n{line}\r\n", $"${line.Length}\r\n{line}\r\n");
    }

    [Theory]
    [InlineData("+OK\r\n")]
    [InlineData("*1\r\n+x\r\n")]
    [InlineData("$3\r\nabc\r\n")]
    public void Another_shape_is_refused(string reply) =>
        Assert.Throws<RespProtocolException>(() => ClusterReplyRewriter.Rewrite(ClusterQuestion.Shards, Encoding.ASCII.GetBytes(reply), NodePorts.Ports, "proxy", out _));

    private static void Rewrites(ClusterQuestion question, string reply, string expected, string? unknown = null)
    {
        var rewritten = ClusterReplyRewriter.Rewrite(question, Encoding.ASCII.GetBytes(reply), NodePorts.Ports, "proxy", out var missing);
        Assert.Equal(expected, Encoding.ASCII.GetString(rewritten.Span));
        Assert.Equal(unknown, missing);
    }
}
