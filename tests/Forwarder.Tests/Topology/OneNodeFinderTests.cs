using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Topology;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Which slots has the one node that the user named, and is nobody asked where there can be none?</summary>
public sealed class OneNodeFinderTests : IAsyncDisposable
{
    private const string Others = "b 10.0.0.2:6379@16379 master - 0 1 2 connected 8192-16383\n";

    private readonly ScriptedNode _node = new();
    private readonly OneNodeFinder _finder;

    public OneNodeFinderTests() => _finder = new OneNodeFinder(UpstreamAddress.Parse("redis://u:p@h"), _node, TimeProvider.System) { IsInCluster = () => _isInCluster };

    private bool _isInCluster = true;

    public ValueTask DisposeAsync() => _finder.DisposeAsync();

    [Fact]
    public async Task A_node_that_is_part_of_no_cluster_is_not_asked()
    {
        _isInCluster = false;
        Assert.Equal(("redis://u@h:6379", 0), await FoundAsync());
        Assert.False(_finder.IsAwaited);
        Assert.Equal(0, _node.Connects);
    }

    [Fact]
    public async Task Its_own_slots_are_found_under_the_address_that_the_user_gave()
    {
        Nodes("a 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-5000 7000 [93-<-b]\n" + Others);
        Assert.True(_finder.IsAwaited);
        var found = Assert.Single(await _finder.FindAsync());
        Assert.Equal("redis://u@h:6379", found.Address.ToString());
        Assert.Equal([new SlotRange(0, 5000), new SlotRange(7000, 7000)], found.Slots);
        Assert.False(_finder.IsAwaited);
        await _finder.FindAsync();
        Assert.Equal(1, _node.Connects);
    }

    [Fact]
    public async Task A_replica_has_none()
    {
        Nodes("a 10.0.0.1:6379@16379 myself,slave b 0 0 1 connected\n" + Others);
        Assert.Equal(("redis://u@h:6379", 0), await FoundAsync());
    }

    [Fact]
    public async Task A_missing_right_is_named_and_the_answer_is_no_longer_waited_for()
    {
        _node.Answer = command => command[0] == "CLUSTER" ? "-NOPERM this user has no permissions to run the 'cluster|nodes' command\r\n" : null;
        Assert.Contains("grant +cluster|nodes", (await Assert.ThrowsAsync<IOException>(_finder.FindAsync)).Message, StringComparison.Ordinal);
        Assert.False(_finder.IsAwaited);
    }

    private void Nodes(string text) => _node.Answer = command => command[0] == "CLUSTER" ? ScriptedNode.Bulk(text) : null;

    private async Task<(string, int)> FoundAsync() => Assert.Single(await _finder.FindAsync()) is var node ? (node.Address.ToString(), node.Slots.Count) : default;
}
