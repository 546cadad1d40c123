using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Tests.Metrics;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Of two nodes that change places: whose events are forwarded? Over scripted nodes, in real time.</summary>
public sealed class FeedSetTests : IAsyncDisposable
{
    private const string Master = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    private const string Slave = "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:0\r\n";
    private const int PortA = 1, PortB = 2;

    private readonly ScriptedNode _a = new();
    private readonly ScriptedNode _b = new() { Run = 'b' };
    private readonly RecordingSink _sink = new();
    private readonly FakeTopology _topology = new(UpstreamShape.Sentinel, FakeTopology.Node("a", PortA), ReplicaOf("a", "b", PortB));
    private readonly GapLog _gaps = new();
    private readonly GroupOfOne _alone = new();
    private readonly FeedSet _feeds;

    private DateTimeOffset _sentAt;

    /// <summary>What each says of itself.</summary>
    private volatile string _roleOfA = Master, _roleOfB = Slave;

    public FeedSetTests()
    {
        _a.Answer = command => command[0] == "ROLE" ? _roleOfA : null;
        _b.Answer = command => command[0] == "ROLE" ? _roleOfB : null;
        var options = new NodeFeedOptions { MarkerInterval = TimeSpan.FromMilliseconds(50), MarkerDeadline = TimeSpan.FromSeconds(20) };
        _feeds = new FeedSet(_topology, options, _sink, _gaps, TimeProvider.System, NullLogger.Instance, new ScriptedNodes((PortA, _a), (PortB, _b)), _alone.Membership);
    }

    public async ValueTask DisposeAsync() => await _feeds.DisposeAsync();

    [Fact]
    public async Task What_a_master_sends_waits_for_its_answer_that_it_is_one_given_behind_it()
    {
        await StartAsync();
        _a.Hold();
        await SentAsync("one");
        Assert.Empty(_sink.Keys);

        _a.Release();
        await KeysAsync("one");
    }

    [Fact]
    public async Task Metrics_name_each_node_by_its_id_and_know_the_gaps_of_one_that_is_gone()
    {
        using var meter = new Meter("test");
        _ = new FeedMetrics(meter, _feeds, _topology, () => null, _gaps, TimeProvider.System);
        var seen = new MeterReader(meter);
        await StartAsync();
        Assert.Equal(0, seen.Read("keyevt.feed.gaps", ("node", "a")));
        Assert.Equal(1, seen.Read("keyevt.feed.state", ("node", "a"), ("state", "subscribed")));
        Assert.Equal(0, seen.Read("keyevt.feed.state", ("node", "a"), ("state", "down")));
        Assert.Equal(1, seen.Read("keyevt.feed.role", ("node", "b"), ("role", "replica")));
        Assert.Equal(1, seen.Read("keyevt.upstream.nodes", ("role", "master")));

        var address = _feeds.Members.First(member => member.Node.Id == "a").Feed.Status.Node;
        _topology.Change(FakeTopology.Node("b", PortB));
        await Eventually.TrueAsync("the node is gone", () => _feeds.Members.Count == 1);
        _gaps.Add(new Gap { Node = address, Cause = GapCause.Silent, Detail = "", From = default, To = default, Duration = TimeSpan.FromSeconds(3), LastPosition = default });
        Assert.Equal(1, seen.Read("keyevt.feed.gaps", ("node", "a")));
        Assert.Equal(3, seen.Read("keyevt.feed.gaps.duration", ("node", "a")));
        Assert.Null(seen.Read("keyevt.feed.subscribed", ("node", "a")));
    }

    [Fact]
    public async Task What_a_demoted_master_sent_last_is_forwarded_if_its_successor_has_not_sent_it()
    {
        await StartAsync();
        _a.Hold();
        await SentAsync("own");
        await SentAsync("echo");

        _roleOfB = Master;
        _topology.Change(ReplicaOf("b", "a", PortA), FakeTopology.Node("b", PortB));
        await StateAsync("b", FeedState.Subscribed);
        await _b.EventAsync("echo");
        await KeysAsync("echo");

        _roleOfA = Slave;
        _a.Release();
        await KeysAsync("echo", "own");
        await StateAsync("a", FeedState.HeldBack);
        await _a.EventAsync("repeated");
        await _b.EventAsync("last");
        await KeysAsync("echo", "own", "last");
    }

    [Fact]
    public async Task What_a_promoted_node_sends_before_it_is_known_to_be_one_is_a_gap_where_nobody_has_seen_it_as_a_replica()
    {
        _roleOfB = Master; // the program begins in the middle of a failover: both say so, and the Sentinels still name the old one
        _feeds.Start();
        _alone.Want(EventClass.String);
        _feeds.Want(EventClass.String);
        await StateAsync("a", FeedState.Subscribed);
        await StateAsync("b", FeedState.HeldBack);
        var sentAt = DateTimeOffset.UtcNow;
        await _b.EventAsync("missed");
        await Eventually.TrueAsync("it to be read", () => Task.FromResult(_feeds.Members.Sum(member => member.Feed.Status.HeldBack) == 1));

        _topology.Change(ReplicaOf("b", "a", PortA), FakeTopology.Node("b", PortB));
        await StateAsync("b", FeedState.Subscribed);
        await Eventually.TrueAsync("the gap", () => _gaps.Recent.Any(gap => gap.Cause == GapCause.Promoted && gap.From <= sentAt && gap.To >= sentAt));
        await _b.EventAsync("heard");
        await KeysAsync("heard");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_demoted_master_sent_last_is_a_gap_when_its_successor_is_not_known_in_time_also_if_its_connection_has_ended(bool ends)
    {
        await StartAsync();
        var before = DateTimeOffset.UtcNow;
        await OwnLastAsync(ends);

        await Eventually.TrueAsync("the gap", () => _gaps.Total > 0);
        var gap = Assert.Single(_gaps.Recent);
        Assert.Equal(GapCause.Promoted, gap.Cause);
        Assert.True(gap.From <= before.AddSeconds(1) && gap.From < _sentAt && gap.To >= _sentAt, $"{gap.From:O} to {gap.To:O} holds {_sentAt:O}, when the event was sent");
        Assert.Empty(_sink.Keys);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_demoted_master_sent_last_is_forwarded_once_its_successor_is_known_also_if_its_connection_has_ended(bool ends)
    {
        await StartAsync();
        await OwnLastAsync(ends);

        _roleOfB = Master;
        _topology.Change(ReplicaOf("b", "a", PortA), FakeTopology.Node("b", PortB));
        await KeysAsync("own");
        Assert.Empty(_gaps.Recent);
    }

    [Fact]
    public async Task What_a_demoted_master_sent_last_is_forwarded_by_its_position_there_also_if_its_successor_has_sent_it_and_it_is_taken_for_new()
    {
        await StartAsync();
        await OwnLastAsync(ends: false); // another member may have heard that the node was still a master behind this event, and have passed it on
        await _b.EventAsync("own");
        await _b.EventAsync("next");
        await Eventually.TrueAsync("both to be read", () => Of("b").Feed.Status.HeldBack == 2);
        _roleOfB = Master;
        _topology.Change(ReplicaOf("b", "a", PortA), FakeTopology.Node("b", PortB));
        await KeysAsync("own", "next");
        Assert.Equal([0xaaaaaaaaaaaaaaaa, 0xbbbbbbbbbbbbbbbb], _sink.Entries.Select(static entry => entry.Position.RunId));
        await StateAsync("a", FeedState.HeldBack);
        await _b.EventAsync("last");
        await KeysAsync("own", "next", "last");
    }

    /// <summary>A master sends one more event, and is a replica by its next answer; the event waits to be judged.</summary>
    private async Task OwnLastAsync(bool ends)
    {
        // Until it has said once more behind its subscription that it is a replica, it may have been promoted before, and that is a gap.
        await Eventually.TrueAsync("b to have said again that it is a replica", () => _b.Commands.Count(static command => command == "ROLE") > 2);
        _a.Hold();
        _sentAt = DateTimeOffset.UtcNow;
        await SentAsync("own");
        _roleOfA = Slave;
        _a.Release();
        await Eventually.ValueAsync("a to be a replica", () => Task.FromResult(Of("a").Feed.Status.Role), role => role == NodeRole.Replica);
        if (ends)
        {
            await _a.CloseAsync(); // restarted, as in a rolling upgrade
            await Eventually.TrueAsync("a to be back", () => _a.Connects == 2 && Of("a").Feed.Status.State == FeedState.HeldBack);
        }
    }

    [Fact]
    public async Task What_a_demoted_master_sent_last_is_judged_before_the_node_is_forgotten()
    {
        await StartAsync();
        await OwnLastAsync(ends: false);

        _topology.Change(FakeTopology.Node("b", PortB)); // it has left, and its successor is not heard of as one
        await Eventually.TrueAsync("the event or a gap", () => _sink.Keys.Contains("own") || _gaps.Total > 0);
    }

    [Fact]
    public async Task A_node_that_another_one_has_replaced_is_not_forwarded_from_though_it_says_that_it_is_a_master()
    {
        await StartAsync();
        await _a.EventAsync("before");
        await KeysAsync("before");

        _roleOfB = Master;
        _topology.Change(ReplicaOf("b", "a", PortA), FakeTopology.Node("b", PortB));
        await StateAsync("b", FeedState.Subscribed);
        await StateAsync("a", FeedState.HeldBack);
        Assert.Equal(NodeRole.Master, Of("a").Feed.Status.Role);

        await _a.EventAsync("behind its back");
        await Eventually.TrueAsync("the event to be held back", () => Of("a").Feed.Status.HeldBack == 1);
        await _b.EventAsync("after");
        await KeysAsync("before", "after");
    }

    [Fact]
    public async Task A_replaced_node_that_comes_back_as_a_master_and_is_made_a_replica_leaves_no_gap_open()
    {
        await StartAsync();
        await _a.CloseAsync();
        _a.IsDown = true;
        await Eventually.TrueAsync("the gap", () => _gaps.Recent.Any(gap => gap.IsOpen));
        _roleOfB = Master;
        _topology.Change(ReplicaOf("b", "a", PortA), FakeTopology.Node("b", PortB));
        await Eventually.TrueAsync("its successor to end the gap", () => _gaps.Recent.All(gap => !gap.IsOpen));
        var gaps = _gaps.Total;

        _a.IsDown = false; // started anew, it takes itself for a master
        await StateAsync("a", FeedState.HeldBack);
        Assert.Equal(NodeRole.Master, Of("a").Feed.Status.Role);
        _roleOfA = Slave;
        var connects = _a.Connects;
        await _a.CloseAsync(); // as who is made a replica loses its clients
        await Eventually.TrueAsync("the next connection", () => _a.Connects > connects);
        await Eventually.ValueAsync("it to be a replica", () => Task.FromResult(Of("a").Feed.Status), status => status is { Role: NodeRole.Replica, State: FeedState.HeldBack });
        Assert.Equal(gaps, _gaps.Total);
    }

    [Fact]
    public async Task A_master_that_comes_back_as_a_replica_before_its_successor_is_known_leaves_no_gap_open()
    {
        await StartAsync();
        _roleOfA = Slave;
        await _a.CloseAsync();
        await StateAsync("a", FeedState.HeldBack);
        Assert.True(Assert.Single(_gaps.Recent).IsOpen);

        _roleOfB = Master;
        _topology.Change(ReplicaOf("b", "a", PortA), FakeTopology.Node("b", PortB));
        await Eventually.TrueAsync("its successor to end the gap", () => _gaps.Recent is [{ IsOpen: false }]);
        Assert.Equal(Of("b").Feed.Status.Position.RunId, _gaps.Recent[0].FirstPosition!.Value.RunId);
    }

    [Fact]
    public async Task A_node_that_was_the_master_for_a_while_and_could_not_be_heard_then_has_a_gap()
    {
        await StartAsync();
        _b.Hold();
        var before = DateTimeOffset.UtcNow;
        _topology.Change(ReplicaOf("b", "a", PortA), FakeTopology.Node("b", PortB));
        var asked = Roles(_a);
        await Eventually.TrueAsync("the next look", () => Roles(_a) > asked);
        Assert.Equal(0, _gaps.Total);

        _topology.Change(FakeTopology.Node("a", PortA), ReplicaOf("a", "b", PortB));
        await Eventually.TrueAsync("the gap", () => _gaps.Recent is [{ IsOpen: false }]);
        var gap = _gaps.Recent[0];
        Assert.Equal((GapCause.Promoted, Of("b").Feed.Status.Node), (gap.Cause, gap.Node));
        Assert.True(gap.From <= before && gap.To >= before, $"{gap.From:O} to {gap.To:O} holds {before:O}");
        _b.Release();
    }

    [Fact]
    public async Task A_failover_and_one_back_that_nobody_has_seen_leave_a_gap_since_the_number_of_failovers_is_higher()
    {
        await StartAsync();
        _topology.ChangedAfter = new ClockReading(DateTimeOffset.UtcNow.AddSeconds(-1), TimeProvider.System.GetTimestamp() - TimeProvider.System.TimestampFrequency);
        _topology.Change(FakeTopology.Node("a", PortA) with { Epoch = 2 }, ReplicaOf("a", "b", PortB));
        await Eventually.TrueAsync("the gap", () => _gaps.Recent is [{ IsOpen: false }]);
        Assert.Equal((GapCause.Promoted, Of("a").Feed.Status.Node, _topology.ChangedAfter.Wall), (_gaps.Recent[0].Cause, _gaps.Recent[0].Node, _gaps.Recent[0].From));

        _roleOfB = Master;
        _topology.Change(ReplicaOf("b", "a", PortA), FakeTopology.Node("b", PortB) with { Epoch = 3 }); // this one is seen
        await StateAsync("b", FeedState.Subscribed);
        Assert.DoesNotContain(_gaps.Recent, gap => gap.Node == Of("b").Feed.Status.Node && gap.Detail == _gaps.Recent[0].Detail);

        _topology.Change(FakeTopology.Node("a", PortA) with { Epoch = 5 }, ReplicaOf("a", "b", PortB)); // there and back, and there again
        await Eventually.TrueAsync("the other gap", () => _gaps.Recent.Count(gap => gap.Node == Of("a").Feed.Status.Node && gap.Detail == _gaps.Recent[0].Detail) == 2);
    }

    [Fact]
    public async Task A_replica_that_says_that_it_is_a_master_now_is_forwarded_from_before_those_who_watch_it_say_so()
    {
        await StartAsync();
        _roleOfB = Master;
        await StateAsync("b", FeedState.Subscribed);
        await Eventually.TrueAsync("it to be taken for the master", () => _feeds.Master?.Port == PortB);

        // The old one is back with its old belief: several looks at both change nothing.
        for (var look = 0; look < 5; look++)
        {
            var asked = Roles(_a);
            await Eventually.TrueAsync("the next look", () => Roles(_a) > asked);
            _topology.Change(FakeTopology.Node("a", PortA), ReplicaOf("a", "b", PortB));
        }

        await _b.EventAsync("promoted");
        await KeysAsync("promoted");
        Assert.Equal(FeedState.Subscribed, Of("b").Feed.Status.State);
        Assert.Equal(PortB, _feeds.Master?.Port);
    }

    private static TopologyNode ReplicaOf(string master, string id, int port) => FakeTopology.Node(id, port, NodeRole.Replica) with { MasterId = master };

    private static int Roles(ScriptedNode node) => node.Commands.Count(command => command == "ROLE");

    private FeedMember Of(string id) => _feeds.Members.Single(member => member.Node.Id == id);

    private async Task StartAsync()
    {
        _alone.Want(EventClass.String);
        _feeds.Want(EventClass.String);
        _feeds.Start();
        await StateAsync("a", FeedState.Subscribed);
        await StateAsync("b", FeedState.HeldBack);
    }

    private Task StateAsync(string id, FeedState state) => Eventually.ValueAsync($"node {id} to be {state}", () => Task.FromResult(Of(id).Feed.Status.State), seen => seen == state);

    private Task KeysAsync(params string[] keys) => Eventually.ValueAsync($"the keys {string.Join(' ', keys)}", () => Task.FromResult(string.Join(' ', _sink.Keys)), seen => seen == string.Join(' ', keys));

    /// <summary>By the first; returns when the feed has read it.</summary>
    private async Task SentAsync(string key)
    {
        var received = Of("a").Feed.Status.Received;
        await _a.EventAsync(key);
        await Eventually.TrueAsync("the event to be read", () => Of("a").Feed.Status.Received == received + 1);
    }
}
