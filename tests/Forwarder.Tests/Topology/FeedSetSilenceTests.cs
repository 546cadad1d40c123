using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>A master falls silent, and another node takes its place or does not: which span is a gap, and whose events are forwarded? Over scripted nodes, in real time.</summary>
public sealed class FeedSetSilenceTests : IAsyncDisposable
{
    private const string Master = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    private const string Slave = "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:0\r\n";
    private const int PortA = 1, PortB = 2;

    private readonly ScriptedNode _a = new();
    private readonly ScriptedNode _b = new();
    private readonly RecordingSink _sink = new();
    private readonly GapLog _gaps = new();
    private readonly FakeTopology _topology = new(UpstreamShape.Sentinel, FakeTopology.Node("a", PortA), ReplicaOfA("b", PortB));
    private readonly GroupOfOne _alone = new();
    private readonly FeedSet _feeds;
    private volatile string _roleOfB = Slave;

    public FeedSetSilenceTests()
    {
        _a.Answer = command => command[0] == "ROLE" ? Master : null;
        _b.Answer = command => command[0] == "ROLE" ? _roleOfB : null;
        var options = new NodeFeedOptions
        {
            MarkerInterval = TimeSpan.FromMilliseconds(50),
            MarkerDeadline = TimeSpan.FromMilliseconds(500),
            WitnessInterval = TimeSpan.FromMilliseconds(100),
        };
        _feeds = new FeedSet(_topology, options, _sink, _gaps, TimeProvider.System, NullLogger.Instance, new ScriptedNodes((PortA, _a), (PortB, _b)), _alone.Membership);
    }

    public async ValueTask DisposeAsync() => await _feeds.DisposeAsync();

    [Fact]
    public async Task A_frozen_master_leaves_a_gap_from_its_last_proof_to_its_successor_and_is_fenced_when_it_wakes()
    {
        await StartAsync();
        await _a.EventAsync("before");
        await KeysAsync("before");
        _a.Hold();
        var frozenAt = DateTimeOffset.UtcNow;
        await StateAsync("a", FeedState.Silent);
        Assert.Null(_feeds.Master);
        Assert.Equal(0, _gaps.Total);

        _roleOfB = Master;
        _topology.Change(FakeTopology.Node("a", PortA, NodeRole.Replica) with { MasterId = "b" }, FakeTopology.Node("b", PortB));
        await Eventually.TrueAsync("its successor to end the gap", () => _gaps.Recent is [{ IsOpen: false }]);
        var gap = _gaps.Recent[0];
        Assert.Equal((GapCause.Silent, "127.0.0.1:1"), (gap.Cause, gap.Node.Replace("redis://", "", StringComparison.Ordinal)));
        Assert.True(gap.From <= frozenAt, $"the gap begins at {gap.From:O}, the silence at {frozenAt:O}");
        Assert.Equal(Of("b").Feed.Status.Position.RunId, gap.FirstPosition!.Value.RunId);

        _a.Release(); // it wakes, and takes itself for a master still
        await StateAsync("a", FeedState.HeldBack);
        await _a.EventAsync("behind its back", on: 1);
        await Eventually.TrueAsync("the event to be held back", () => Of("a").Feed.Status.HeldBack == 1);
        await _b.EventAsync("after");
        await KeysAsync("before", "after");
        Assert.Equal(1, _gaps.Total);
    }

    [Fact]
    public async Task A_master_that_was_busy_only_is_the_master_again_when_it_answers_and_nothing_is_a_gap()
    {
        await StartAsync();
        _a.Hold();
        await StateAsync("a", FeedState.Silent);
        await Eventually.TrueAsync("three questions over second connections, and hints to those who watch", () => _a.Connects >= 2 && _topology.Hints.Count > 0);
        Assert.Contains(FeedReadinessOf("a"), missing => missing.Contains("busy or frozen", StringComparison.Ordinal));

        _a.Release();
        await StateAsync("a", FeedState.Subscribed);
        await _a.EventAsync("after", on: 1);
        await KeysAsync("after");
        Assert.Equal(PortA, _feeds.Master?.Port);
        Assert.Equal((0, 0), (_gaps.Total, Of("a").Feed.Status.Reconnects));
    }

    [Fact]
    public async Task What_a_master_had_sent_before_it_fell_silent_is_known_to_who_takes_its_place()
    {
        await StartAsync();
        _a.Hold();
        await _a.EventAsync("own"); // waits for an answer behind it
        await _b.EventAsync("own"); // its echo
        await StateAsync("a", FeedState.Silent);
        await KeysAsync("own");

        _roleOfB = Master;
        await StateAsync("b", FeedState.Subscribed);
        await _b.EventAsync("next");
        await KeysAsync("own", "next");
    }

    [Fact]
    public async Task At_the_end_of_the_program_a_replaced_master_that_has_not_answered_since_is_not_waited_for_before_its_gap_is_declared()
    {
        await StartAsync();
        await BeatsAsync("b"); // it is known as a replica
        _roleOfB = Master;
        await StateAsync("b", FeedState.Subscribed);
        await BeatsAsync("a"); // it has answered since
        _a.Hold();
        _topology.Change(FakeTopology.Node("a", PortA, NodeRole.Replica) with { MasterId = "b" }, FakeTopology.Node("b", PortB));
        await StateAsync("a", FeedState.HeldBack);
        var ending = _feeds.CatchUpAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1, _gaps.Total);
        _a.Release();
        await ending;
        Assert.Equal((GapCause.Silent, 1), (_gaps.Recent[0].Cause, _gaps.Total));
    }

    private static TopologyNode ReplicaOfA(string id, int port) => FakeTopology.Node(id, port, NodeRole.Replica) with { MasterId = "a" };

    private IReadOnlyList<string> FeedReadinessOf(string id) => [FeedReadiness.FaultOf(Of(id).Feed.Status, isAlone: false) ?? ""];

    private FeedMember Of(string id) => _feeds.Members.Single(member => member.Node.Id == id);

    private async Task StartAsync()
    {
        _alone.Want(EventClass.String);
        _feeds.Want(EventClass.String);
        _feeds.Start();
        await StateAsync("a", FeedState.Subscribed);
        await StateAsync("b", FeedState.HeldBack);
    }

    private Task BeatsAsync(string id)
    {
        var beats = Of(id).Feed.Pulse.Beats;
        return Eventually.TrueAsync($"answers of {id}", () => Of(id).Feed.Pulse.Beats > beats + 3);
    }

    private Task StateAsync(string id, FeedState state) => Eventually.ValueAsync($"node {id} to be {state}", () => Task.FromResult(Of(id).Feed.Status.State), seen => seen == state);

    private Task KeysAsync(params string[] keys) => Eventually.ValueAsync($"the keys {string.Join(' ', keys)}", () => Task.FromResult(string.Join(' ', _sink.Keys)), seen => seen == string.Join(' ', keys));
}
