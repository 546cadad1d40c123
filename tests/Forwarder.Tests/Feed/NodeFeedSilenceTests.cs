using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A connection says nothing: when is it kept, and when does another one take its place? In virtual time, over a scripted node.</summary>
public sealed class NodeFeedSilenceTests : IAsyncDisposable
{
    private const string Marker = "__keyevt__:marker";

    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(510);

    private readonly ScriptedFeed _rig = new(options => options with { SilenceLimit = TimeSpan.FromSeconds(60), SilenceGrace = Grace });

    private ScriptedNode Node => _rig.Node;

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task A_node_that_answers_nobody_is_waited_for_and_what_it_says_then_is_passed_on_without_a_gap()
    {
        await _rig.StartAsync();
        await Node.EventAsync("before");
        await _rig.KeysAsync("before");
        var position = _rig.Feed.Status.Position;
        Node.Hold();
        await _rig.BeatAsync(8);
        Assert.Equal(FeedState.Subscribed, _rig.Feed.Status.State);

        await _rig.BeatUntilAsync("the fourth question over a second connection", () => Node.Connects == 5);
        Assert.Equal(FeedState.Silent, _rig.Feed.Status.State);
        Assert.InRange(Node.Open.Count, 1, 2); // never more than one beside it
        Assert.Equal(0, _rig.Gaps.Total);

        Node.Release();
        await Node.EventAsync("after", on: 1);
        await _rig.KeysAsync("before", "after");
        await _rig.StateAsync(FeedState.Subscribed);
        await Eventually.TrueAsync("the second connection to be closed", () => Node.Open is [1]);
        Assert.True(_rig.Sink.Entries[1].Position is var next && (next.Marker, next.Count).CompareTo((position.Marker, position.Count)) > 0);
        Assert.Equal((0, 0), (_rig.Gaps.Total, _rig.Feed.Status.Reconnects));
    }

    [Fact]
    public async Task A_connection_that_alone_is_silent_is_replaced_within_five_seconds_and_the_gap_begins_at_its_last_proof()
    {
        await _rig.StartAsync();
        await _rig.BeatAsync(4);
        await _rig.SeenAsync();
        var proven = _rig.Time.GetUtcNow();
        Node.IsDeaf = connection => connection == 1;

        await _rig.BeatAsync(8);
        _rig.Time.Advance(ScriptedFeed.Beat);
        await _rig.StateAsync(FeedState.Silent);
        await Eventually.TrueAsync("the second connection to be answered", () => _rig.Time.Asked.Contains(Grace));
        Assert.Equal(0, _rig.Gaps.Total);
        _rig.Time.Advance(Grace);
        await Eventually.TrueAsync("the second connection to count", () => _rig.Feed.Status is { State: FeedState.Subscribed, Reconnects: 1 });
        Assert.EndsWith(" s, though an answer was due, but answered another connection", _rig.Feed.Status.LastError, StringComparison.Ordinal);
        await Eventually.TrueAsync("the end of the gap", () => _rig.Gaps.Open == 0);
        var gap = Assert.Single(_rig.Gaps.Recent);
        Assert.Equal((GapCause.Silent, proven), (gap.Cause, gap.From));
        Assert.InRange(gap.To!.Value - proven, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5));

        await Node.EventAsync("lost", on: 1);
        await Node.EventAsync("new", on: 2);
        await _rig.KeysAsync("new");
        await Eventually.TrueAsync("the first connection to be closed", () => Node.Open is [2]);
        var seen = _rig.Feed.Status.MarkersSeen;
        await _rig.BeatUntilAsync("markers on the second connection", () => _rig.Feed.Status.MarkersSeen > seen + 3);
        Assert.True(gap.FirstPosition!.Value.Marker > gap.LastPosition.Marker);
        Assert.Equal(1, _rig.Gaps.Total);
    }

    [Fact]
    public async Task What_comes_on_the_silent_connection_before_the_second_one_is_subscribed_keeps_it()
    {
        await _rig.StartAsync();
        Node.IsDeaf = connection => connection == 1;
        Node.Answer = command => command[0] == "PSUBSCRIBE" ? "" : null;
        await _rig.BeatUntilAsync("the second connection to subscribe", () => _rig.Count("PSUBSCRIBE") == 2);

        await Node.EventAsync("kept", on: 1);
        await _rig.KeysAsync("kept");
        await _rig.StateAsync(FeedState.Subscribed);
        await Node.SayAsync(">3\r\n$10\r\npsubscribe\r\n$16\r\n__keyevent@*__:*\r\n:1\r\n", on: 2);
        await Node.EventAsync("kept", on: 2);
        await Eventually.TrueAsync("the second connection to be closed", () => Node.Open is [1]);
        await Node.EventAsync("next", on: 1);
        await _rig.KeysAsync("kept", "next");
        Assert.Equal((0, 0), (_rig.Gaps.Total, _rig.Feed.Status.Reconnects));
    }

    [Fact]
    public async Task What_the_second_connection_hears_before_it_counts_proves_nothing_of_the_first()
    {
        await _rig.StartAsync();
        await _rig.SeenAsync();
        var proven = _rig.Time.GetUtcNow();
        Node.IsDeaf = connection => connection == 1;
        Node.Answer = command => command[0] == "PSUBSCRIBE" ? "" : null;
        await _rig.BeatUntilAsync("the second connection to subscribe", () => _rig.Count("PSUBSCRIBE") == 2);
        var position = _rig.Feed.Status.Position;

        // A marker that the first connection has sent into a way that is open in that direction only.
        var payload = Node.Commands.Last(command => command.StartsWith("PUBLISH", StringComparison.Ordinal)).Split(' ')[2];
        await Node.SayAsync($">3\r\n$7\r\nmessage\r\n{ScriptedNode.Bulk(Marker)}{ScriptedNode.Bulk(payload)}", on: 2);
        await Node.SayAsync(">3\r\n$10\r\npsubscribe\r\n$16\r\n__keyevent@*__:*\r\n:1\r\n", on: 2);
        await Eventually.TrueAsync("the gap", () => _rig.Gaps.Total == 1);

        Assert.Equal(proven, _rig.Gaps.Recent[0].From);
        Assert.Equal(position, _rig.Gaps.Recent[0].LastPosition);
    }

    [Theory]
    [InlineData("HELLO", "-ERR max number of clients reached\r\n")]
    [InlineData("CLIENT", "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n")]
    public async Task A_second_connection_that_is_refused_proves_nothing(string command, string refusal)
    {
        await _rig.StartAsync();
        Node.IsDeaf = connection => connection == 1;
        Node.Answer = asked => asked[0] == command ? refusal : refusal.StartsWith("-BUSY", StringComparison.Ordinal) && asked[0] == "INFO" ? refusal : null;

        await _rig.BeatUntilAsync("the third question over a second connection", () => Node.Connects == 4);
        Assert.Equal((FeedState.Silent, 0), (_rig.Feed.Status.State, _rig.Gaps.Total));
        Assert.InRange(Node.Open.Count, 1, 2);
        Assert.Contains(TimeSpan.FromSeconds(1), _rig.Time.Asked); // between two of them

        await Node.EventAsync("kept", on: 1);
        await _rig.KeysAsync("kept");
    }

    [Fact]
    public async Task A_node_that_answers_nobody_for_the_limit_is_given_up()
    {
        await _rig.StartAsync();
        await _rig.SeenAsync();
        var proven = _rig.Time.GetUtcNow();
        Node.Hold();

        await _rig.BeatUntilAsync("the gap", () => _rig.Gaps.Open == 1);
        var gap = _rig.Gaps.Recent[0];
        Assert.Equal((GapCause.Silent, proven), (gap.Cause, gap.From));
        Assert.InRange(_rig.Time.GetUtcNow() - proven, TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(63));
        Node.Release();
        await _rig.BeatUntilAsync("the next subscription", () => _rig.Gaps.Open == 0);
    }

    [Fact]
    public async Task The_limit_is_over_with_the_beat_at_which_it_has_passed()
    {
        await using var rig = new ScriptedFeed(options => options with { SilenceLimit = options.MarkerDeadline });
        await rig.StartAsync();
        await rig.SeenAsync();
        rig.Node.Hold();
        await rig.BeatUntilAsync("the reason", () => rig.Feed.Status.LastError is not null);
        Assert.Equal("the node has sent nothing for 2 s, though an answer was due, and answers no other connection", rig.Feed.Status.LastError);
        rig.Node.Release();
    }

    [Fact]
    public async Task A_silence_and_its_end_are_said_with_how_long_it_was()
    {
        await _rig.StartAsync();
        await _rig.SeenAsync();
        Node.IsDeaf = _ => true;
        await _rig.BeatAsync(8);
        _rig.Time.Advance(ScriptedFeed.Beat);
        await Eventually.TrueAsync("the silence", () => Said("Warning 2016") == 1 && Node.Connects == 2);
        Assert.Contains(_rig.Log.Lines, line => line.Contains("nothing has come for 2 s, though an answer is due", StringComparison.Ordinal));
        _rig.Time.Advance(TimeSpan.FromSeconds(3));
        await Node.EventAsync("a", on: 1);
        await Eventually.TrueAsync("its end", () => Said("Information 2017") == 1);
        Assert.Contains(_rig.Log.Lines, line => line.Contains("the node speaks again after 5 s", StringComparison.Ordinal));
        Assert.Equal(0, Said("Information 2018")); // the second connection was not needed any more, and that is nothing to say

        int Said(string start) => _rig.Log.Lines.Count(line => line.StartsWith(start, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_silent_connection_that_ends_leaves_one_gap_from_its_last_proof()
    {
        await _rig.StartAsync();
        await _rig.SeenAsync();
        var proven = _rig.Time.GetUtcNow();
        Node.Hold();
        await _rig.BeatUntilAsync("a second connection", () => Node.Connects == 2);

        await Node.CloseAsync(1);
        await Eventually.TrueAsync("the gap", () => _rig.Gaps.Open == 1);
        Node.Release();
        await _rig.BeatUntilAsync("the next subscription", () => _rig.Gaps.Open == 0);

        Assert.Equal((GapCause.ConnectionLost, proven, 1), (_rig.Gaps.Recent[0].Cause, _rig.Gaps.Recent[0].From, _rig.Gaps.Total));
        await Node.EventAsync("after");
        await _rig.KeysAsync("after");
    }

    [Fact]
    public async Task What_is_wanted_while_a_connection_is_silent_is_what_the_second_one_subscribes_to()
    {
        await _rig.StartAsync();
        Node.IsDeaf = connection => connection == 1;
        await _rig.BeatUntilAsync("the silence", () => _rig.Feed.Status.State == FeedState.Silent);
        _rig.Want(EventClass.Expired);

        await _rig.BeatUntilAsync("the second connection to count", () => _rig.Feed.Status is { IsInStep: true, State: FeedState.Subscribed });
        Assert.Equal(["__keyevent@*__:expired"], _rig.Feed.Status.Patterns);
    }

    [Fact]
    public async Task What_the_second_connection_has_learnt_of_the_node_is_shown_once_it_counts()
    {
        await _rig.StartAsync();
        Assert.Equal(new string('a', 40), _rig.Feed.Status.RunId);
        Node.IsDeaf = connection => connection == 1;
        Node.Answer = command => command is ["INFO"] ? ScriptedNode.Bulk($"# Server\r\nredis_version:7.2.0\r\nrun_id:{new string('b', 40)}\r\n") : null;

        await _rig.BeatUntilAsync("the second connection to count", () => _rig.Feed.Status is { IsInStep: true, State: FeedState.Subscribed, Reconnects: 1 });
        Assert.Equal((new string('b', 40), "7.2.0"), (_rig.Feed.Status.RunId, _rig.Feed.Status.RedisVersion));
    }

    [Fact]
    public async Task Stopping_while_a_second_connection_is_asked_ends_both_at_once()
    {
        await _rig.StartAsync();
        Node.Hold();
        await _rig.BeatUntilAsync("a second connection", () => Node.Connects == 2);

        await _rig.Feed.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Node.Release();
        await Eventually.TrueAsync("both to be closed", () => Node.Open.Count == 0);
    }
}
