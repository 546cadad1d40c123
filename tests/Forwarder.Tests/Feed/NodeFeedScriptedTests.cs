using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What does a feed do at which time? In virtual time, over a scripted node.</summary>
public sealed class NodeFeedScriptedTests : IAsyncDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan ConnectTimeout = new NodeFeedOptions().ConnectTimeout;

    private readonly JumpingTime _time = new();
    private readonly ScriptedNode _node = new();
    private readonly RecordingSink _sink = new();
    private readonly RecordingLogger _log = new();
    private readonly GapLog _gaps = new();
    private readonly GroupOfOne _alone = new(Beat);
    private readonly NodeFeed _feed;

    public NodeFeedScriptedTests()
    {
        var options = new NodeFeedOptions { QuietInterval = Beat };
        _feed = new NodeFeed(RedisAddress.Parse("redis://u:c4nary@node"), options, _sink, _gaps, _time, _log, _alone.Membership, null, _node);
    }

    public async ValueTask DisposeAsync() => await _feed.DisposeAsync();

    [Fact]
    public void P11_silence_is_counted_in_beats_that_were_heard_so_a_feed_that_was_frozen_itself_catches_up()
    {
        var silence = new SilenceDetector(new NodeFeedOptions());
        silence.Beat(reads: 1, isAnswerDue: true);
        for (var i = 0; i < 7; i++) Assert.False(silence.Beat(reads: 1, isAnswerDue: true));
        silence.Beat(reads: 2, isAnswerDue: true);
        for (var i = 0; i < 7; i++) Assert.False(silence.Beat(reads: 2, isAnswerDue: true));
        silence.Beat(reads: 2, isAnswerDue: false);
        for (var i = 0; i < 7; i++) Assert.False(silence.Beat(reads: 2, isAnswerDue: true));

        Assert.True(silence.Beat(reads: 2, isAnswerDue: true));
        Assert.True(silence.IsUnbroken(2));
        Assert.False(silence.IsUnbroken(3));
    }

    [Fact]
    public async Task A_marker_whose_PUBLISH_is_answered_but_that_does_not_come_back_ends_the_connection()
    {
        await StartAsync();
        var isLost = true;
        _node.Answer = command => isLost && command[0] == "PUBLISH" ? ":1\r\n" : null;
        await BeatUntilAsync("the next connection", () => _node.Connects == 2);
        isLost = false;

        Assert.Equal(GapCause.SubscriptionLost, (await ClosedGapAsync()).Cause);
    }

    [Fact]
    public async Task A_marker_may_come_after_the_answer_of_its_PUBLISH()
    {
        await StartAsync();
        _node.Answer = command => command[0] == "PUBLISH"
            ? $":1\r\n>3\r\n$7\r\nmessage\r\n{ScriptedNode.Bulk(command[1])}{ScriptedNode.Bulk(command[2])}"
            : null;
        await BeatAsync(20);

        Assert.Equal(1, _node.Connects);
    }

    [Fact]
    public async Task What_is_said_in_other_groups_or_streams_or_in_no_group_does_not_move_the_position()
    {
        await StartAsync();
        var before = _feed.Status.Position;

        foreach (var text in (string[])["0123456789abcdef:5", "", Mark("other", "aaaaaaaaaaaaaaaa"), Mark("one", "bbbbbbbbbbbbbbbb")])
        {
            await _node.SayAsync($">3\r\n$7\r\nmessage\r\n{ScriptedNode.Bulk("__keyevt__:marker")}{ScriptedNode.Bulk(text)}");
        }

        await _node.EventAsync("a");
        await Eventually.TrueAsync("the event", () => _sink.Entries.Count == 1);

        Assert.Equal(before with { Count = 1 }, _sink.Entries[0].Position);

        static string Mark(string group, string run) => $"1 {group} {run} mark x 9000000000000000000 reach=1-0 broker=up";
    }

    [Fact]
    public async Task A_node_that_is_down_is_tried_with_doubling_pauses_up_to_the_longest()
    {
        _node.IsDown = true;
        _feed.Start();
        TimeSpan[] pauses = [];
        for (var i = 1; i <= 10; i++)
        {
            pauses = await Eventually.ValueAsync("the next pause", () => Task.FromResult(_time.Asked.Where(due => due != ConnectTimeout).ToArray()), asked => asked.Length == i);
            Assert.Equal(i, _node.Connects);
            _time.Advance(pauses[^1]);
        }

        Assert.True(pauses[0] < TimeSpan.FromMilliseconds(200), $"first pause {pauses[0]}");
        Assert.True(pauses[^1] >= TimeSpan.FromSeconds(2), $"last pause {pauses[^1]}");
        Assert.Equal(0, _gaps.Total);
    }

    [Fact]
    public async Task An_old_server_is_told_apart_and_its_echo_of_the_password_is_not_shown()
    {
        _node.Answer = command => command[0] == "HELLO" ? "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `u`, `c4nary`, \r\n" : null;
        _feed.Start();

        await Eventually.TrueAsync("the reason", () => _feed.Status.LastError is not null);

        Assert.Equal("this server does not speak RESP3: Redis 6 or later is needed", _feed.Status.LastError);
        Assert.DoesNotContain("c4nary", _feed.Status.ToString() + string.Join('\n', _log.Lines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n", "not RESP")]
    [InlineData("$12x\r\n", "a length that is none")]
    [InlineData("+OK\r\n", "an answer to nothing")]
    public async Task Garbage_ends_the_connection_and_not_the_feed(string garbage, string reason)
    {
        await StartAsync();

        await _node.SayAsync(garbage);
        await Eventually.TrueAsync("the reason", () => _feed.Status.LastError?.Contains(reason, StringComparison.Ordinal) == true);
        await BeatUntilAsync("the next subscription", () => _gaps.Recent.Any(gap => !gap.IsOpen));

        await _node.EventAsync("after");
        await Eventually.TrueAsync("the event", () => _sink.Keys.Contains("after"));
        Assert.False(_feed.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_node_that_closes_behind_its_first_answer_is_not_taken_for_one_that_wants_TLS()
    {
        _node.Answer = command => command[0] == "HELLO" ? null : "";
        _feed.Want(EventClass.All);
        _feed.Start();
        await Eventually.TrueAsync("what follows the first answer", () => _node.Commands.Count > 1 && _node.Commands[0].StartsWith("HELLO", StringComparison.Ordinal));
        await _node.CloseAsync();

        await Eventually.TrueAsync("the reason", () => _feed.Status.LastError is not null);
        Assert.StartsWith("the server closed the connection (restart, CLIENT KILL", _feed.Status.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handshake_that_is_not_answered_ends_at_its_deadline()
    {
        _node.Answer = command => command[0] == "ROLE" ? "" : null;
        _feed.Want(EventClass.All);
        _feed.Start();
        await BeatUntilAsync("the reason", () => _feed.Status.LastError is not null);

        Assert.Equal("the node takes longer than 5 s to answer", _feed.Status.LastError);
    }

    [Fact]
    public async Task A_loading_node_is_asked_again_and_not_taken_for_a_master()
    {
        var isLoading = true;
        _node.Answer = command => isLoading && command[0] == "ROLE" ? "-LOADING Redis is loading the dataset in memory\r\n" : null;
        _feed.Want(EventClass.All);
        _feed.Start();
        await Eventually.TrueAsync("the reason", () => _feed.Status.LastError?.Contains("LOADING", StringComparison.Ordinal) == true);
        Assert.Null(_feed.Status.RemedyText);
        isLoading = false;

        await BeatUntilAsync("the subscription", () => _feed.Status.IsInStep);
    }

    [Fact]
    public async Task P3_a_wall_clock_that_jumps_back_an_hour_changes_nothing_but_timestamps()
    {
        await StartAsync();
        var before = _feed.Status.Position.Marker;
        _time.WallOffset = TimeSpan.FromHours(-1);
        await BeatAsync(10);

        await _node.CloseAsync();
        var gap = await ClosedGapAsync();

        Assert.InRange(gap.Duration!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.True(_feed.Status.Position.Marker > before);
    }

    [Fact]
    public async Task Between_the_confirmation_of_a_new_pattern_and_the_end_of_the_old_one_each_event_counts_once()
    {
        _alone.Want(EventClass.Expired);
        _feed.Want(EventClass.Expired);
        _feed.Start();
        await StartedAsync();
        _node.Answer = command => command[0] is "PSUBSCRIBE" or "PUNSUBSCRIBE" ? "" : null;

        _alone.Want(EventClass.All);
        _feed.Want(EventClass.All);
        await Eventually.TrueAsync("the new pattern", () => Count("PSUBSCRIBE") == 2);
        await _node.EventAsync("1", "__keyevent@*__:expired");
        await _node.SayAsync(">3\r\n$10\r\npsubscribe\r\n$16\r\n__keyevent@*__:*\r\n:2\r\n");
        await _node.EventAsync("2", "__keyevent@*__:expired");
        await _node.EventAsync("2", "__keyevent@*__:*");
        await Eventually.TrueAsync("the end of the old pattern", () => Count("PUNSUBSCRIBE") == 1);
        Assert.False(_feed.Status.IsInStep);
        await _node.SayAsync(">3\r\n$12\r\npunsubscribe\r\n$22\r\n__keyevent@*__:expired\r\n:2\r\n");
        await _node.EventAsync("3", "__keyevent@*__:*");

        await Eventually.TrueAsync("all", () => _sink.Entries.Count == 3 && _feed.Status.IsInStep);
        Assert.Equal(["1", "2", "3"], _sink.Keys);
    }

    [Fact]
    public async Task Stopping_in_any_state_ends_at_once()
    {
        _node.Answer = _ => "";
        _feed.Start();
        await Eventually.TrueAsync("a connection", () => _node.Connects == 1);

        await _feed.DisposeAsync();

        Assert.Equal(FeedState.Stopped, _feed.Status.State);
        await _feed.Completion;
    }

    private async Task StartAsync()
    {
        _feed.Want(EventClass.All);
        _feed.Start();
        await StartedAsync();
    }

    private Task StartedAsync() => Eventually.TrueAsync(
        "the subscription, the office and the first mark", () => _feed is { Status: { IsInStep: true, MarkersSeen: > 1 }, GroupStatus.IsHolder: true, Pulse: { Waiting: 0, Beats: > 0 } });

    private int Count(string command) => _node.Commands.Count(one => one.StartsWith(command, StringComparison.Ordinal));

    /// <summary>Beats one after another, each when the one before has been sent.</summary>
    private async Task BeatAsync(int beats)
    {
        for (var i = 0; i < beats; i++)
        {
            var sent = _feed.Status.MarkersSent;
            _time.Advance(Beat);
            await Eventually.TrueAsync("the beat", () => _feed.Status.MarkersSent > sent);
            await Eventually.TrueAsync("its arrival", () => Count("PUBLISH") == _feed.Status.MarkersSent);
        }
    }

    private Task BeatUntilAsync(string what, Func<bool> condition) => Eventually.TrueAsync(what, () =>
    {
        if (condition()) return true;
        _time.Advance(Beat);
        return condition();
    });

    private async Task<Gap> ClosedGapAsync()
    {
        await BeatUntilAsync("a closed gap", () => _gaps.Recent.Any(gap => !gap.IsOpen));
        return _gaps.Recent.First(gap => !gap.IsOpen);
    }
}
