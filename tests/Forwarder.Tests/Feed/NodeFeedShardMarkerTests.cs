using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>In a cluster: do markers follow the slots that the node serves, and does nothing break on the way? In virtual time, over a scripted node.</summary>
public sealed class NodeFeedShardMarkerTests : IAsyncDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    private readonly JumpingTime _time = new();
    private readonly ScriptedNode _node = new() { IsCluster = true };
    private readonly RecordingSink _sink = new();
    private readonly GapLog _gaps = new();
    private readonly NodeFeed _feed;
    private volatile string? _tag = "7";

    public NodeFeedShardMarkerTests() =>
        _feed = new NodeFeed(RedisAddress.Parse("redis://node"), new NodeFeedOptions(), _sink, _gaps, _time, new RecordingLogger(), _node) { MarkerTag = () => _tag };

    public async ValueTask DisposeAsync() => await _feed.DisposeAsync();

    [Fact]
    public async Task A_marker_comes_back_in_the_shard_and_moves_the_position()
    {
        await StartAsync();
        await BeatUntilAsync("a marker in the shard", () => Published("7") >= 3);

        Assert.Contains("READONLY", _node.Commands);
        Assert.Equal(0, Count("PUBLISH "));
        await Eventually.TrueAsync("its return", () => _feed.Status.MarkersSeen == _feed.Status.MarkersSent);
        await EventIsCountedFromAsync(_feed.Status.Position.Marker);
    }

    [Fact]
    public async Task A_node_without_slots_is_pinged_until_it_has_one()
    {
        _tag = null;
        await StartAsync();
        await BeatUntilAsync("pings", () => Count("PING") >= 8);
        Assert.Equal(0, Count("SSUBSCRIBE"));

        _tag = "8";
        await BeatUntilAsync("a marker in the shard", () => Published("8") >= 1);
    }

    [Fact]
    public async Task A_node_that_takes_its_time_is_asked_for_the_channel_once()
    {
        _tag = null;
        await StartAsync();
        await BeatUntilAsync("pings", () => Count("PING") >= 8);
        await Eventually.TrueAsync("the answers", () => _feed.Pulse.Waiting == 0);
        _node.Hold();
        _tag = "8";
        for (var beat = 0; beat < 6; beat++)
        {
            var before = _feed.Pulse.Beats;
            _time.Advance(Beat);
            await Eventually.TrueAsync("the beat", () => _feed.Pulse.Beats > before);
        }

        _node.Release();
        await BeatUntilAsync("a marker in the shard", () => Published("8") >= 1);
        Assert.Equal((1, 1), (Count("SSUBSCRIBE"), _node.Connects));
    }

    [Fact]
    public async Task Pings_before_the_first_slot_are_not_missed_on_its_channel_where_a_message_comes_behind_its_answer()
    {
        _tag = null;
        await StartAsync();
        await BeatUntilAsync("pings", () => Count("PING") >= 8);
        _node.Answer = command => command[0] == "SPUBLISH" ? $":1\r\n>3\r\n$8\r\nsmessage\r\n{ScriptedNode.Bulk(command[1])}{ScriptedNode.Bulk(command[2])}" : null;
        _tag = "8";
        await BeatUntilAsync("markers in the shard", () => Published("8") >= 3);
        Assert.Equal((1, 0), (_node.Connects, _gaps.Total));
    }

    [Fact]
    public async Task The_end_of_a_subscription_that_is_not_ours_changes_nothing()
    {
        await StartAsync();
        await BeatUntilAsync("a marker in the shard", () => Published("7") >= 1);
        await _node.SayAsync($">3\r\n{ScriptedNode.Bulk("sunsubscribe")}{ScriptedNode.Bulk("__keyevt__:marker{5}")}:0\r\n");
        await BeatUntilAsync("more markers", () => Published("7") >= 8);
        Assert.Equal((1, 0), (Count("SSUBSCRIBE"), Count("PING") - 1)); // the first marker was a PING
    }

    [Fact]
    public async Task A_slot_that_goes_is_followed_to_another_one_without_a_gap()
    {
        await StartAsync();
        await BeatUntilAsync("a marker in the shard", () => Published("7") >= 1);
        _tag = "9";
        _node.Answer = command => command[0] == "SPUBLISH" && command[1].EndsWith("{7}", StringComparison.Ordinal) ? "-MOVED 1 other:6379\r\n" : null;
        await _node.SayAsync($">3\r\n{ScriptedNode.Bulk("sunsubscribe")}{ScriptedNode.Bulk("__keyevt__:marker{7}")}:0\r\n");

        await BeatUntilAsync("a marker in the other slot", () => Published("9") >= 2);
        await EventIsCountedFromAsync(_feed.Status.Position.Marker);
        Assert.Equal(0, _gaps.Total);
        Assert.Equal(1, _node.Connects);
    }

    [Fact]
    public async Task Markers_published_after_the_node_took_the_subscription_back_are_no_lost_subscription()
    {
        await StartAsync();
        await BeatUntilAsync("a marker in the shard", () => Published("7") >= 1);
        var held = 0;
        _node.Answer = command => command[0] == "SPUBLISH" ? (++held, "").Item2 : null; // both on their way when it happens
        await BeatUntilAsync("two markers on their way", () => held == 2);
        _node.Answer = command => command[0] == "SSUBSCRIBE" ? "-CLUSTERDOWN The cluster is down\r\n" : null;
        await _node.SayAsync($">3\r\n{ScriptedNode.Bulk("sunsubscribe")}{ScriptedNode.Bulk("__keyevt__:marker{7}")}:0\r\n:0\r\n:0\r\n");

        var pings = Count("PING");
        await BeatUntilAsync("pings again", () => Count("PING") >= pings + 8);
        Assert.True(Count("SSUBSCRIBE") >= 2, "it is tried again");
        Assert.Equal(0, _gaps.Total);
        Assert.Equal(1, _node.Connects);
    }

    [Fact]
    public async Task A_marker_that_is_published_and_does_not_come_back_ends_the_connection()
    {
        await StartAsync();
        await BeatUntilAsync("a marker in the shard", () => Published("7") >= 1);
        var isLost = true;
        _node.Answer = command => isLost && command[0] == "SPUBLISH" ? ":0\r\n" : null;
        await BeatUntilAsync("the next connection", () => _node.Connects == 2);
        isLost = false;

        await BeatUntilAsync("a closed gap", () => _gaps.Recent.Any(gap => !gap.IsOpen));
        Assert.Equal(GapCause.SubscriptionLost, _gaps.Recent[0].Cause);
    }

    [Theory]
    [InlineData("SSUBSCRIBE", "-NOPERM this user has no permissions\r\n", "SSUBSCRIBE __keyevt__:marker{7} is refused: grant &__keyevt__:marker* +ssubscribe +spublish +readonly")]
    [InlineData("SPUBLISH", "-NOPERM this user has no permissions\r\n", "SPUBLISH __keyevt__:marker{7} is refused: grant &__keyevt__:marker* +ssubscribe +spublish +readonly")]
    [InlineData("SSUBSCRIBE", "-ERR unknown command 'SSUBSCRIBE', with args beginning with: \r\n", null)]
    public async Task What_is_refused_is_said_once_and_PING_stands_in(string command, string error, string? remedy)
    {
        _node.Answer = given => given[0] == command ? error : null;
        await StartAsync();
        await BeatUntilAsync("the refusal", () => Count(command) >= 1);
        int pings = Count("PING"), tries = Count("SSUBSCRIBE");
        await BeatUntilAsync("pings", () => Count("PING") >= pings + 8);

        Assert.Equal(tries, Count("SSUBSCRIBE"));
        if (remedy is null) Assert.Null(_feed.Status.RemedyText);
        else Assert.StartsWith(remedy, _feed.Status.RemedyText, StringComparison.Ordinal);
        await EventIsCountedFromAsync(_feed.Status.Position.Marker);
    }

    private int Published(string tag) => Count($"SPUBLISH __keyevt__:marker{{{tag}}} ");

    private int Count(string start) => _node.Commands.Count(command => command.StartsWith(start, StringComparison.Ordinal));

    private async Task StartAsync()
    {
        _feed.Want(EventClass.Generic | EventClass.String);
        _feed.Start();
        await Eventually.TrueAsync("the subscription", () => _feed.Status.IsInStep);
    }

    /// <param name="marker">At least.</param>
    private async Task EventIsCountedFromAsync(long marker)
    {
        await _node.EventAsync("a");
        await Eventually.TrueAsync("the event", () => _sink.Entries.Count == 1);
        Assert.True(_sink.Entries[0].Position.Marker >= marker);
    }

    private Task BeatUntilAsync(string what, Func<bool> condition) => Eventually.TrueAsync(what, () =>
    {
        if (condition()) return true;
        _time.Advance(Beat);
        return condition();
    });
}
