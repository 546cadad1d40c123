using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>A node could not be heard while it became the master: what is declared? Over scripted nodes, in real time.</summary>
public sealed class FeedSetUnheardTests : IAsyncDisposable
{
    private const string Master = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    private const string Slave = "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:0\r\n";

    private readonly ScriptedNode[] _nodes = [new(), new(), new()];
    private readonly string[] _roles = [Master, Slave, Slave];
    private readonly RecordingSink _sink = new();
    private readonly FakeTopology _topology = new(UpstreamShape.Sentinel, Nodes(master: 0));
    private readonly GapLog _gaps = new();
    private readonly GroupOfOne _alone = new();
    private readonly CheckpointRegistry _shelf = new("state", "orders");
    private readonly FeedSet _feeds;

    public FeedSetUnheardTests()
    {
        for (var i = 0; i < _nodes.Length; i++)
        {
            var id = i;
            _nodes[i].Answer = command => command[0] == "ROLE" ? Volatile.Read(ref _roles[id]) : null;
            _nodes[i].IsDown = i > 0;
        }

        var options = new NodeFeedOptions { MarkerInterval = TimeSpan.FromMilliseconds(50), MarkerDeadline = TimeSpan.FromSeconds(20) };
        _feeds = new FeedSet(_topology, options, _sink, _gaps, TimeProvider.System, NullLogger.Instance, new ScriptedNodes((1, _nodes[0]), (2, _nodes[1]), (3, _nodes[2])), _alone.Membership, shelf: _shelf);
    }

    public async ValueTask DisposeAsync() => await _feeds.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // and another one was the master in between, which was never heard at all
    public async Task What_came_since_the_old_master_was_heard_is_a_gap(bool isThird)
    {
        Start();
        await StateAsync(0, FeedState.Subscribed);
        await _nodes[0].EventAsync("heard");
        await KeysAsync("heard");
        await DemoteAsync(0);
        var since = DateTimeOffset.UtcNow;
        _topology.Change(Nodes(master: 1));
        if (isThird) _topology.Change(Nodes(master: 2, behind: 1));
        await Eventually.TrueAsync("the doubt, in which nothing is stored", () => _shelf.IsInDoubt);

        var next = isThird ? 2 : 1;
        await PromoteAsync(next);
        await Eventually.TrueAsync("the gap", () => _gaps.Total > 0);
        var gap = Assert.Single(_gaps.Recent);
        Assert.Equal((Of(next).Feed.Status.Node, "the node could not be heard; the node was promoted meanwhile"), (gap.Node, gap.Detail));
        Assert.True(gap.From <= since && gap.To >= since, $"from {gap.From:O} to {gap.To:O}; the old master was heard until {since:O}");
        await Eventually.TrueAsync("the end of the doubt", () => !_shelf.IsInDoubt);
        await _nodes[next].EventAsync("again");
        await KeysAsync("heard", "again");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // nobody has said yet that it is the master
    public async Task The_gap_begins_when_the_node_may_have_been_promoted_though_the_old_master_called_itself_one_for_longer(bool isNamed)
    {
        var start = await HeardBeforeAsync(master: isNamed ? 1 : 0);
        await DemoteAsync(0);
        await PromoteAsync(1);
        await Eventually.TrueAsync("the gap", () => _gaps.Total > 0);
        var from = Assert.Single(_gaps.Recent).From;
        Assert.Equal(isNamed, from == _topology.ChangedAfter.Wall);
        Assert.Equal(isNamed, from < start.Wall);
    }

    [Fact]
    public async Task A_node_that_is_heard_first_as_a_master_has_a_gap_also_while_the_old_master_still_calls_itself_one()
    {
        await HeardBeforeAsync(master: 1);
        await PromoteAsync(1);
        await Eventually.TrueAsync("the gap", () => _gaps.Recent.Any(gap => gap.Node == Of(1).Feed.Status.Node));
        Assert.Equal(_topology.ChangedAfter.Wall, _gaps.Recent.First(gap => gap.Node == Of(1).Feed.Status.Node).From);
    }

    [Fact]
    public async Task What_came_before_anything_was_heard_is_no_gap()
    {
        Volatile.Write(ref _roles[0], Slave);
        Start();
        await StateAsync(0, FeedState.HeldBack);
        _topology.Change(Nodes(master: 1));
        await PromoteAsync(1);
        Assert.Equal(0, _gaps.Total);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // nobody has listened before, so nothing is missed
    public async Task What_a_master_took_that_was_replaced_before_it_was_ever_heard_is_a_gap_if_an_earlier_run_has_listened(bool hasEarlierRun)
    {
        if (hasEarlierRun) _shelf.Found(new Checkpoint(new EventPosition(0xbbb, 1, 5), DateTimeOffset.UnixEpoch, "orders"));
        _nodes[0].IsDown = true;
        _nodes[1].IsDown = false;
        Start();
        var since = DateTimeOffset.UtcNow;
        await StateAsync(1, FeedState.HeldBack);
        await PromoteAsync(1);
        _topology.Change(Nodes(master: 1));
        _nodes[0].IsDown = false;
        await DemoteAsync(0);

        if (hasEarlierRun) await Eventually.TrueAsync("the gap", () => _gaps.Total > 0);
        var missed = _gaps.Recent.Where(gap => gap.Node == Of(0).Feed.Status.Node).ToList();
        Assert.Equal(hasEarlierRun ? 1 : 0, missed.Count);
        Assert.All(missed, gap => Assert.True(gap.Cause == GapCause.Promoted && gap.From <= since && gap.To > since, $"{gap.Cause} from {gap.From:O} to {gap.To:O}"));
    }

    [Fact]
    public async Task A_master_that_is_wanted_again_later_has_missed_nothing_since_its_promotion()
    {
        Start();
        await StateAsync(0, FeedState.Subscribed);
        await DemoteAsync(0);
        _topology.Change(Nodes(master: 1));
        await PromoteAsync(1);
        await Eventually.TrueAsync("the gap of the promotion", () => _gaps.Total == 1);

        _alone.Want(EventClass.None);
        _feeds.Want(EventClass.None);
        var connects = _nodes[1].Connects;
        await _nodes[1].CloseAsync();
        await Eventually.TrueAsync("the next connection", () => _nodes[1].Connects > connects);
        _alone.Want(EventClass.String);
        _feeds.Want(EventClass.String);
        await _feeds.WaitSubscribedAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, _gaps.Total);
    }

    /// <param name="behind">The master before, which this one has replaced.</param>
    private static TopologyNode[] Nodes(int master, int behind = 0) =>
    [
        .. Enumerable.Range(0, 3).Select(i => i == master ? FakeTopology.Node($"{i}", i + 1)
            : FakeTopology.Node($"{i}", i + 1, NodeRole.Replica) with { MasterId = $"{(i == behind || behind == 0 ? master : behind)}" }),
    ];

    /// <summary>The first node is heard as the master, and then the topology names a master, perhaps late.</summary>
    /// <returns>A moment before all that.</returns>
    private async Task<ClockReading> HeardBeforeAsync(int master)
    {
        var start = ClockReading.Now(TimeProvider.System);
        Start();
        await StateAsync(0, FeedState.Subscribed);
        await _nodes[0].EventAsync("heard");
        await KeysAsync("heard");
        _topology.ChangedAfter = start.Before(TimeSpan.FromSeconds(3), TimeProvider.System);
        _topology.Change(Nodes(master));
        return start;
    }

    private void Start()
    {
        _alone.Want(EventClass.String);
        _feeds.Want(EventClass.String);
        _feeds.Start();
    }

    private FeedMember Of(int node) => _feeds.Members.Single(member => member.Node.Id == $"{node}");

    private async Task DemoteAsync(int node)
    {
        Volatile.Write(ref _roles[node], Slave);
        await StateAsync(node, FeedState.HeldBack);
    }

    private async Task PromoteAsync(int node)
    {
        Volatile.Write(ref _roles[node], Master);
        _nodes[node].IsDown = false;
        await StateAsync(node, FeedState.Subscribed);
    }

    private Task StateAsync(int node, FeedState state) => Eventually.ValueAsync($"node {node} to be {state}", () => Task.FromResult(Of(node).Feed.Status.State), seen => seen == state);

    private Task KeysAsync(params string[] keys) => Eventually.ValueAsync($"the keys {string.Join(' ', keys)}", () => Task.FromResult(string.Join(' ', _sink.Keys)), seen => seen == string.Join(' ', keys));
}
