using System.IO.Pipelines;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What is made of frames that are too large, forged, early or no answer, and how are markers sent? Over a scripted node, in virtual time.</summary>
public sealed class FeedFrameHandlerTests : IAsyncDisposable
{
    private readonly ScriptedFeed _rig = new(options => options with { MaxFrameBytes = 2_000_000 });

    private NodeFeedStatus Status => _rig.Feed.Status;

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task An_event_that_is_too_large_is_counted_and_a_gap_and_has_a_position()
    {
        await _rig.StartAsync();
        var marker = Status.Position.Marker;
        await _rig.Node.SayAsync(ScriptedNode.EventFrame("set", "a") + ScriptedNode.EventFrame("set", new string('x', 2_000_000)) + ScriptedNode.EventFrame("set", "b"));
        await _rig.KeysAsync("a", "b");
        Assert.Equal([(marker, 1), (marker, 3)], _rig.Sink.Entries.Select(entry => (entry.Position.Marker, entry.Position.Count)));
        Assert.Equal((2, 1), (Status.Received, Status.Oversized));
        var gap = Assert.Single(_rig.Gaps.Recent);
        Assert.Equal((GapCause.Oversized, 1, 2, false), (gap.Cause, gap.LastPosition.Count, gap.FirstPosition!.Value.Count, gap.IsOpen));
        Assert.StartsWith("a notification of 2000", gap.Detail, StringComparison.Ordinal);
        Assert.Equal(_rig.Time.GetUtcNow().ToUnixTimeMilliseconds(), _rig.Sink.Entries[1].At);
    }

    [Fact]
    public async Task The_end_of_a_batch_is_told_once_and_only_behind_events()
    {
        await _rig.StartAsync();
        var before = _rig.Sink.Batches;
        await _rig.AnsweredAsync(4);
        Assert.Equal(before, _rig.Sink.Batches);
        await _rig.Node.SayAsync(ScriptedNode.EventFrame("set", "a") + ScriptedNode.EventFrame("set", "b"));
        await _rig.KeysAsync("a", "b");
        await _rig.AnsweredAsync(4);
        Assert.Equal(before + 1, _rig.Sink.Batches);
    }

    [Fact]
    public async Task Forged_notifications_are_counted_each_and_said_once()
    {
        await _rig.StartAsync();
        var forged = $">4\r\n$8\r\npmessage\r\n{ScriptedNode.Bulk("__keyevent@*__:*")}{ScriptedNode.Bulk("__keyevent@0__:a\nb")}{ScriptedNode.Bulk("key")}";
        await _rig.Node.SayAsync(forged + forged);
        await Eventually.TrueAsync("both", () => Status.Refused == 2);
        await _rig.Node.SayAsync(forged);
        await Eventually.TrueAsync("the third", () => Status.Refused == 3);
        Assert.Equal(1, Said());
        Assert.Equal((0, 0), (Status.Received, _rig.Gaps.Total));

        int Said() => _rig.Log.Lines.Count(line => line.StartsWith("Warning 2022", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_comes_before_the_subscription_is_confirmed_does_not_count()
    {
        _rig.Node.Answer = command => command[0] == "PSUBSCRIBE" ? "" : null;
        _rig.Want(EventClass.All);
        _rig.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => _rig.Count("PSUBSCRIBE") == 1);
        var forged = $">4\r\n$8\r\npmessage\r\n{ScriptedNode.Bulk("__keyevent@*__:*")}{ScriptedNode.Bulk("__keyevent@0__:")}{ScriptedNode.Bulk("key")}";
        await _rig.Node.SayAsync(ScriptedNode.EventFrame("set", "early") + forged + ScriptedNode.EventFrame("set", new string('x', 2_000_000)));
        await _rig.Node.SayAsync(">3\r\n$10\r\npsubscribe\r\n$16\r\n__keyevent@*__:*\r\n:1\r\n" + ScriptedNode.EventFrame("set", "a"));
        await _rig.KeysAsync("a");
        Assert.Equal((1, 0, 0, 0), (Status.Received, Status.Refused, Status.Oversized, _rig.Gaps.Total));
    }

    [Theory]
    [InlineData(1_048_576, "the node sent an answer to nothing: ")]
    [InlineData(1_048_577, "the node sent an answer of 1048577 bytes")]
    public async Task An_answer_of_more_than_a_mebibyte_is_none_of_Redis(int size, string reason)
    {
        await _rig.StartAsync();
        await _rig.Node.SayAsync(ScriptedNode.Bulk(new string('x', size - 12)));
        await Eventually.TrueAsync("the reason", () => Status.LastError is not null);
        Assert.StartsWith(reason, Status.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_message_on_a_channel_that_is_not_ours_is_read_past()
    {
        await _rig.StartAsync();
        await _rig.Node.SayAsync($">3\r\n$7\r\nmessage\r\n{ScriptedNode.Bulk("other")}{ScriptedNode.Bulk(new string('x', 1_500_000))}");
        await _rig.Node.EventAsync("a");
        await _rig.KeysAsync("a");
        Assert.Equal((1, 0), (_rig.Node.Connects, _rig.Gaps.Total));
    }

    [Theory]
    [InlineData("SUBSCRIBE")]
    [InlineData("PUBLISH")]
    public async Task Where_the_channel_is_refused_to_a_program_that_may_be_alone_PING_takes_its_place(string command)
    {
        await using var rig = new ScriptedFeed(options => options with { MayBeAlone = true });
        rig.Node.Answer = given => given[0] == command ? "-NOPERM this user has no permissions\r\n" : null;
        await rig.StartAsync();
        Assert.Equal(
            $"{command} __keyevt__:marker is refused: grant &__keyevt__:marker +subscribe +publish; until then PING takes its place, and others that send events to the same place send the same ones again",
            rig.Feed.Status.RemedyText);
        Assert.Equal(1, rig.Count(command + " "));
        var position = rig.Feed.Status.Position;
        await rig.AnsweredAsync(2);
        await Eventually.TrueAsync("the position to move", () => rig.Feed.Status.Position.Marker > position.Marker);
        Assert.Equal((1, 1, 0), (rig.Count(command + " "), rig.Node.Connects, rig.Gaps.Total));
    }

    [Fact]
    public async Task A_node_that_is_too_busy_for_the_channel_of_markers_is_not_ready_and_later_it_is_tried_again()
    {
        var isBusy = true;
        _rig.Node.Answer = command => isBusy && command[0] is "SUBSCRIBE" or "PUBLISH" ? "-BUSY Redis is busy running a script\r\n" : null;
        _rig.Want(EventClass.All);
        _rig.Feed.Start();
        await Eventually.TrueAsync("the reason", () => Status.LastError is not null);
        Assert.Equal("the node is not ready yet: BUSY Redis is busy running a script", Status.LastError);
        isBusy = false;
        await _rig.AnsweredUntilAsync("markers", () => Status.MarkersSeen >= 1);
        var (connects, seen) = (_rig.Node.Connects, Status.MarkersSeen);
        isBusy = true;
        await _rig.AnsweredAsync(4);
        isBusy = false;
        await _rig.AnsweredUntilAsync("markers again", () => Status.MarkersSeen > seen);
        Assert.Equal((connects, null), (_rig.Node.Connects, Status.RemedyText));
        Assert.Equal(0, _rig.Count("PING"));
    }

    [Fact]
    public async Task Nobody_answers_where_no_connection_is_made_within_five_seconds()
    {
        var time = new JumpingTime();
        await using var feed = new NodeFeed(RedisAddress.Parse("redis://node"), new NodeFeedOptions(), _rig.Sink, _rig.Gaps, time, _rig.Log, new GroupOfOne().Membership, null, new NoTransport());
        feed.Start();
        await Eventually.TrueAsync("the attempt", () => time.Asked.Contains(TimeSpan.FromSeconds(5)));
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal((FeedState.Connecting, null), (feed.Status.State, feed.Status.LastError));
        time.Advance(TimeSpan.FromSeconds(0.1));
        await Eventually.TrueAsync("the reason", () => feed.Status.LastError == "nobody answers");
    }

    [Fact]
    public async Task A_sink_that_throws_ends_the_feed_loudly()
    {
        var node = new ScriptedNode();
        await using var feed = new NodeFeed(RedisAddress.Parse("redis://node"), new NodeFeedOptions(), new ThrowingSink(), _rig.Gaps, _rig.Time, _rig.Log, new GroupOfOne().Membership, null, node);
        feed.Want(EventClass.All);
        feed.Start();
        await Eventually.TrueAsync("the subscription", () => feed.Status.IsInStep);
        await node.EventAsync("a");
        await Assert.ThrowsAsync<NotSupportedException>(() => feed.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        Assert.Equal((FeedState.Stopped, false, "a fault in the program: NotSupportedException"), (feed.Status.State, feed.Status.IsInStep, feed.Status.LastError));
        Assert.Contains(_rig.Log.Lines, line => line.StartsWith("Critical 2012", StringComparison.Ordinal));
        Assert.Equal((1, "the feed died of a fault in the program"), (_rig.Gaps.Open, _rig.Gaps.Recent[0].Detail));
        await Eventually.TrueAsync("the connection to be closed", () => node.Open.Count == 0);
    }

    private sealed class NoTransport : IRedisTransport
    {
        public async ValueTask<IDuplexPipe> ConnectAsync(RedisAddress address, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException("not reached");
        }
    }
}
