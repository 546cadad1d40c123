using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Topology;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Do the answers of a Sentinel that are put together belong together?</summary>
public sealed class SentinelFinderTests
{
    [Fact]
    public async Task A_switch_between_two_answers_leaves_no_node_out()
    {
        var master = "a";
        var node = new ScriptedNode
        {
            Answer = command => command switch
            {
                ["SENTINEL", "MASTER", _] => Node(master),
                ["SENTINEL", "REPLICAS", _] => Replicas(master = "b"), // promoted in this moment
                ["SENTINEL", "SENTINELS", _] => "*0\r\n",
                _ => null,
            }
        };
        await using var finder = new SentinelFinder(UpstreamAddress.Parse("redis+sentinel://seed/m"), node, TimeProvider.System);

        var nodes = await finder.FindAsync();

        Assert.Equal(["a:1", "b:1", "c:1"], nodes.Select(one => one.Id).Order());
        Assert.Equal("b:1", nodes.Single(one => one.Role == NodeRole.Master).Id);
    }

    private static string Replicas(string promoted) => "*2\r\n" + string.Concat(new[] { "a", "b", "c" }.Where(one => one != promoted).Select(Node));

    private static string Node(string host) => $"*4\r\n$2\r\nip\r\n$1\r\n{host}\r\n$4\r\nport\r\n$1\r\n1\r\n";
}
