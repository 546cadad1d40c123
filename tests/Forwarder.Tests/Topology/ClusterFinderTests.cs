using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Topology;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Whose word about the cluster counts?</summary>
public sealed class ClusterFinderTests : IAsyncDisposable
{
    private readonly ScriptedNode _node = new();
    private readonly ClusterFinder _finder;
    private string _nodes = "";

    public ClusterFinderTests()
    {
        _node.Answer = command => command is ["CLUSTER", "NODES"] ? $"${_nodes.Length}\r\n{_nodes}\r\n" : null;
        _finder = new ClusterFinder(UpstreamAddress.Parse("redis+cluster://seed:7000"), _node, TimeProvider.System);
    }

    public ValueTask DisposeAsync() => _finder.DisposeAsync();

    [Fact]
    public async Task A_master_without_slots_that_becomes_a_replica_takes_its_epoch_with_it()
    {
        _nodes = "a 10.0.0.1:1@2 master - 0 1 3 connected 0-16383\nb 10.0.0.2:1@2 master - 0 1 6 connected\n";
        await _finder.FindAsync();
        _nodes = "a 10.0.0.1:1@2 master - 0 1 3 connected 0-16383\nb 10.0.0.2:1@2 slave a 0 1 3 connected\n";
        var nodes = await _finder.FindAsync();
        Assert.Equal("a", nodes.Single(node => node.Id == "b").MasterId);
    }

    [Fact]
    public async Task An_older_state_does_not_count_until_nobody_tells_anything_else_for_some_rounds()
    {
        _nodes = "a 10.0.0.1:1@2 master - 0 1 3 connected 0-99\nb 10.0.0.2:1@2 master - 0 1 6 connected 100-16383\n";
        await _finder.FindAsync();
        _nodes = "a 10.0.0.1:1@2 master - 0 1 3 connected 0-16383\nb 10.0.0.2:1@2 master - 0 1 6 connected\n"; // a node that was cut off, or b has given up its slots
        for (var round = 0; round < 3; round++)
        {
            var refused = await Assert.ThrowsAsync<IOException>(_finder.FindAsync);
            Assert.Contains("older state", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(16384, (await _finder.FindAsync()).Sum(node => node.Slots.Sum(range => range.Count)));
    }
}
