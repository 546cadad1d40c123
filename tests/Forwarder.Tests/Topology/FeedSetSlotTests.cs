using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Does order per key hold when its slot moves from one master of a cluster to another? Over scripted nodes, in real time.</summary>
public sealed class FeedSetSlotTests : IAsyncDisposable
{
    private const int PortA = 1, PortB = 2;
    private const int Moving = 12182; // the slot of "{foo}..."

    private readonly ScriptedNode _a = new() { IsCluster = true };
    private readonly ScriptedNode _b = new() { IsCluster = true };
    private readonly RecordingSink _sink = new();
    private readonly FakeTopology _topology = new(UpstreamShape.Cluster, Node("a", PortA, new SlotRange(0, 100)), Node("b", PortB, new SlotRange(101, SlotTag.Slots - 1)));
    private readonly GapLog _gaps = new();
    private readonly GroupOfOne _alone = new();
    private readonly FeedSet _feeds;

    public FeedSetSlotTests()
    {
        var options = new NodeFeedOptions { MarkerInterval = TimeSpan.FromMilliseconds(50), MarkerDeadline = TimeSpan.FromSeconds(20) };
        _feeds = new FeedSet(_topology, options, _sink, _gaps, TimeProvider.System, NullLogger.Instance, new ScriptedNodes((PortA, _a), (PortB, _b)), _alone.Membership);
    }

    public async ValueTask DisposeAsync() => await _feeds.DisposeAsync();

    [Fact]
    public async Task What_the_new_owner_sends_waits_for_what_the_old_one_sent_though_nobody_knows_of_the_move_yet()
    {
        await StartAsync();
        _b.Hold();
        await _b.EventAsync("{foo}first");
        await Eventually.TrueAsync("it to be read", () => _feeds.Members[1].Feed.Status.Received == 1);
        await _a.EventAsync("{foo}second");
        await AnsweredAsync(_a);
        Assert.Empty(_sink.Keys);

        _b.Release();
        Move();
        await KeysAsync("{foo}first", "{foo}second");
        await _a.EventAsync("{foo}third");
        await KeysAsync("{foo}first", "{foo}second", "{foo}third");
    }

    [Fact]
    public async Task So_it_does_when_the_move_is_known_before_its_first_event()
    {
        await StartAsync();
        _b.Hold();
        await _b.EventAsync("{foo}first");
        await Eventually.TrueAsync("it to be read", () => _feeds.Members[1].Feed.Status.Received == 1);
        Move();
        await Eventually.TrueAsync("the move to be known", () => _feeds.Members[0].Node.Slots.Count == 2);
        await _a.EventAsync("{foo}second");
        await AnsweredAsync(_a);
        Assert.Empty(_sink.Keys);

        _b.Release();
        await KeysAsync("{foo}first", "{foo}second");
    }

    [Fact]
    public async Task An_event_of_the_old_owner_that_is_read_after_the_move_is_known_still_comes_first()
    {
        await StartAsync();
        _a.Hold();
        Move();
        await Eventually.TrueAsync("the move to be known", () => _feeds.Members[0].Node.Slots.Count == 2);
        await _a.EventAsync("{foo}second");
        await _b.EventAsync("{foo}first"); // it waits for nobody: the other one does not even answer
        await KeysAsync("{foo}first");

        _a.Release();
        await KeysAsync("{foo}first", "{foo}second");
    }

    [Fact]
    public async Task An_old_owner_that_does_not_answer_is_waited_for_a_while_only()
    {
        await StartAsync();
        _b.Hold();
        await _a.EventAsync("{foo}only");
        await KeysAsync("{foo}only");
        _b.Release();
    }

    [Fact]
    public async Task Nodes_that_send_of_their_own_slots_wait_for_nobody()
    {
        await StartAsync();
        _b.Hold();
        await _b.EventAsync("{foo}held");
        await _a.EventAsync("{k126}own"); // slot 58
        await KeysAsync("{k126}own");
        _b.Release();
        await KeysAsync("{k126}own", "{foo}held");
    }

    [Theory]
    [InlineData(false)] // as other nodes see a demoted master for a moment
    [InlineData(true)]
    public async Task A_replica_that_is_named_as_a_master_has_taken_writes_only_if_it_is_said_to_have_slots(bool hasSlots)
    {
        _b.Answer = static command => command[0] == "ROLE" ? "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n" : null;
        await StartAsync(FeedState.HeldBack);
        var all = Node("a", PortA, new SlotRange(0, SlotTag.Slots - 1));
        _topology.Change(all, FakeTopology.Node("b", PortB, NodeRole.Replica));
        await AnsweredAsync(_b);
        _topology.Change(all, hasSlots ? Node("b", PortB, new SlotRange(0, 0)) : Node("b", PortB));
        await AnsweredAsync(_b);
        _topology.Change(all, FakeTopology.Node("b", PortB, NodeRole.Replica));
        await AnsweredAsync(_b);
        Assert.Equal(hasSlots ? 1 : 0, _gaps.Total);
    }

    private static TopologyNode Node(string id, int port, params SlotRange[] slots) => FakeTopology.Node(id, port) with { Slots = slots };

    private void Move() => _topology.Change(
        Node("a", PortA, new SlotRange(0, 100), new SlotRange(Moving, Moving)), Node("b", PortB, new SlotRange(101, Moving - 1), new SlotRange(Moving + 1, SlotTag.Slots - 1)));

    private async Task StartAsync(FeedState second = FeedState.Subscribed)
    {
        _alone.Want(EventClass.String);
        _feeds.Want(EventClass.String);
        _feeds.Start();
        await Eventually.TrueAsync("both to be subscribed to", () => _feeds.Members.Select(static member => member.Feed.Status.State).SequenceEqual([FeedState.Subscribed, second]));
    }

    /// <summary>It has said "master" behind all that it has sent so far.</summary>
    private static async Task AnsweredAsync(ScriptedNode node)
    {
        var asked = Roles(node);
        await Eventually.TrueAsync("two more looks at its role", () => Roles(node) >= asked + 2);
    }

    private static int Roles(ScriptedNode node) => node.Commands.Count(command => command == "ROLE");

    private Task KeysAsync(params string[] keys) => Eventually.ValueAsync($"the keys {string.Join(' ', keys)}", () => Task.FromResult(string.Join(' ', _sink.Keys)), seen => seen == string.Join(' ', keys));
}
