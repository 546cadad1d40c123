using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What may others ask of a feed: to hold its node back, to connect now, to read up to here, to end? Over a scripted node, in virtual time.</summary>
public sealed class NodeFeedFenceTests : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private readonly ScriptedFeed _rig = new(options => options with { HasSuccessors = true });

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task What_comes_from_a_fenced_node_is_held_back_and_is_a_gap_when_the_fence_was_wrong()
    {
        await _rig.StartAsync();
        await _rig.AnsweredAsync(1);
        await _rig.SeenAsync();
        Assert.False(_rig.Feed.Fence(false));
        var (fencedAt, position) = (_rig.Time.GetUtcNow(), _rig.Feed.Status.Position);
        Assert.True(_rig.Feed.Fence(true));
        Assert.False(_rig.Feed.Fence(true));
        Assert.Equal(FeedState.HeldBack, _rig.Feed.Status.State);
        await _rig.Node.EventAsync("behind the fence");
        await Eventually.TrueAsync("the event", () => _rig.Feed.Status.HeldBack == 1);
        _rig.Time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(_rig.Feed.Fence(false));

        Assert.Equal(FeedState.Subscribed, _rig.Feed.Status.State);
        var gap = Assert.Single(_rig.Gaps.Recent);
        Assert.Equal((GapCause.Promoted, fencedAt, position), (gap.Cause, gap.From, gap.LastPosition));
        Assert.Equal("the node was taken for one that another has replaced, until it was named as the master", gap.Detail);
        Assert.Equal((_rig.Time.GetUtcNow(), _rig.Feed.Status.Position), (gap.To!.Value, gap.FirstPosition!.Value));
        await _rig.Node.EventAsync("after");
        await _rig.KeysAsync("after");
    }

    [Fact]
    public async Task A_fenced_node_that_says_it_is_a_replica_is_one_and_lifting_the_fence_changes_nothing()
    {
        await _rig.StartAsync();
        _rig.Feed.Fence(true);
        _rig.Node.Answer = command => command[0] == "ROLE" ? "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n" : null;
        await _rig.AnsweredUntilAsync("the role", () => _rig.Feed.Status.Role == KeyEvt.Forwarder.Redis.NodeRole.Replica);
        Assert.False(_rig.Feed.Fence(false));
        _rig.Feed.Fence(true);
        Assert.True(_rig.Feed.Fence(false));
        Assert.Equal((FeedState.HeldBack, 0), (_rig.Feed.Status.State, _rig.Gaps.Total));
    }

    [Fact]
    public async Task A_fenced_node_that_connects_anew_as_a_master_is_still_held_back()
    {
        await _rig.StartAsync();
        _rig.Feed.Fence(true);
        await _rig.AnsweredAsync(1);
        await _rig.Node.CloseAsync();
        await _rig.AnsweredUntilAsync("the next connection", () => _rig.Node.Connects == 2 && _rig.Feed.Status.IsInStep);
        Assert.Equal(FeedState.HeldBack, _rig.Feed.Status.State);
        await _rig.Node.EventAsync("behind the fence");
        await Eventually.TrueAsync("the event", () => _rig.Feed.Status.HeldBack == 1);
        Assert.Empty(_rig.Sink.Keys);
    }

    [Fact]
    public async Task A_node_that_was_fenced_wrongly_and_is_lost_later_has_a_gap_like_any_other()
    {
        await _rig.StartAsync();
        _rig.Feed.Fence(true);
        await _rig.AnsweredAsync(1);
        await _rig.Node.CloseAsync();
        await _rig.AnsweredUntilAsync("the next connection", () => _rig.Node.Connects == 2 && _rig.Feed.Status.IsInStep);
        Assert.True(_rig.Feed.Fence(false));
        Assert.Equal(0, _rig.Gaps.Open);
        _rig.Node.IsDown = true;
        await _rig.Node.CloseAsync();
        await Eventually.TrueAsync("the gap", () => _rig.Gaps.Open == 1);
        Assert.Equal(GapCause.ConnectionLost, _rig.Gaps.Recent[^1].Cause);
    }

    [Fact]
    public async Task A_node_that_was_replaced_and_connects_anew_has_no_open_gap_when_it_is_lost_again()
    {
        await using var successor = new ScriptedFeed();
        await successor.StartAsync();
        await _rig.StartAsync();
        _rig.Feed.Fence(true);
        _rig.Feed.SucceededBy(successor.Feed);
        await _rig.AnsweredAsync();
        await _rig.Node.CloseAsync();
        await _rig.AnsweredUntilAsync("the next connection", () => _rig.Node.Connects == 2 && _rig.Feed.Status.IsInStep);
        _rig.Node.IsDown = true;
        await _rig.Node.CloseAsync();
        await _rig.StateAsync(FeedState.Down);
        Assert.Equal(0, _rig.Gaps.Open);
    }

    [Fact]
    public async Task A_successor_ends_the_gap_where_its_stream_begins()
    {
        await using var successor = new ScriptedFeed();
        await successor.StartAsync();
        await _rig.StartAsync();
        _rig.Node.IsDown = true;
        await _rig.Node.CloseAsync();
        await Eventually.TrueAsync("the gap", () => _rig.Gaps.Open == 1);
        _rig.Feed.SucceededBy(successor.Feed);
        Assert.Equal(successor.Feed.Status.Position, Assert.Single(_rig.Gaps.Recent).FirstPosition);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // the node is too busy to tell, and the next connection finds them missing
    public async Task Flags_that_a_master_lacked_before_another_took_its_place_are_a_gap_though_it_is_held_back_by_now(bool isSameConnection)
    {
        const string Busy = "-BUSY Redis is busy running a script.\r\n", Refused = "-NOPERM no permissions\r\n", Slave = "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n";
        await _rig.StartAsync();
        await _rig.AnsweredAsync(8);
        var seen = _rig.Time.GetUtcNow();
        var (isBusy, isReplica) = (!isSameConnection, false);
        _rig.Node.Answer = command => command is ["CONFIG", "SET", ..] ? Refused : isBusy && command[0] == "CONFIG" ? Busy : isReplica && command[0] == "ROLE" ? Slave : null;
        _rig.Time.Advance(TimeSpan.FromMilliseconds(100)); // no beat
        _rig.Node.Flags = "";
        await SucceededAsync();
        if (!isSameConnection)
        {
            await _rig.AnsweredAsync(2);
            Assert.Equal(0, _rig.Gaps.Total);
            (isBusy, isReplica) = (false, true);
            await _rig.Node.CloseAsync();
            await _rig.AnsweredUntilAsync("the next connection", () => _rig.Node.Connects == 2 && _rig.Feed.Status.State == FeedState.HeldBack);
        }

        await Eventually.TrueAsync("the gap", () => _rig.Gaps.Total > 0); // no beat is waited for
        await _rig.AnsweredAsync(8); // it is declared once
        var gap = Assert.Single(_rig.Gaps.Recent);
        Assert.Equal((GapCause.FlagsMissing, false), (gap.Cause, gap.IsOpen));
        Assert.InRange(gap.From, seen - TimeSpan.FromSeconds(1), seen);
        Assert.Contains("lacks what is needed for", gap.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flags_that_were_taken_away_after_another_took_its_place_are_no_gap()
    {
        await _rig.StartAsync();
        await _rig.AnsweredAsync(8);
        await SucceededAsync();
        await _rig.AnsweredAsync(4);
        _rig.Node.Flags = "";
        await _rig.AnsweredUntilAsync("the look", () => _rig.Node.Flags != "");
        await _rig.AnsweredAsync(4);
        Assert.Equal(0, _rig.Gaps.Total);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_master_that_was_not_heard_since_another_took_its_place_may_have_taken_writes_that_nobody_heard(bool wasHeard)
    {
        var role = "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n";
        await using var successor = new ScriptedFeed(options => options with { HasSuccessors = true }, new ScriptedNode { Run = 'b', Answer = command => command[0] == "ROLE" ? role : null });
        await successor.StartAsync();
        await successor.AnsweredAsync(4);
        await _rig.StartAsync();
        await _rig.AnsweredAsync(6);
        role = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
        await successor.AnsweredUntilAsync("the promotion", () => successor.Feed.Status.State == FeedState.Subscribed);
        if (wasHeard) await _rig.AnsweredAsync(12);
        _rig.Feed.SucceededBy(successor.Feed);
        Assert.Equal(wasHeard ? [] : [GapCause.Silent], _rig.Gaps.Recent.Select(static gap => gap.Cause));
    }

    [Fact]
    public async Task The_gap_of_a_master_that_died_and_was_replaced_begins_when_its_flags_were_last_seen()
    {
        await _rig.StartAsync();
        await _rig.AnsweredAsync(4);
        await Eventually.TrueAsync("the looks", () => _rig.Feed.Pulse.Waiting == 0);
        var seen = _rig.Time.GetUtcNow();
        _rig.Node.Answer = static command => command is ["CONFIG", "GET", ..] ? "-BUSY Redis is busy running a script.\r\n" : null;
        await _rig.AnsweredAsync(8);
        await _rig.Node.CloseAsync();
        await Eventually.TrueAsync("the gap", () => _rig.Gaps.Total == 1);
        await using var successor = new ScriptedFeed(options => options with { HasSuccessors = true });
        await successor.StartAsync();
        _rig.Feed.SucceededBy(successor.Feed);
        var gap = Assert.Single(_rig.Gaps.Recent);
        Assert.True(gap.From <= seen && !gap.IsOpen, $"from {gap.From:O}, and they were seen at {seen:O}");
    }

    [Fact]
    public async Task A_look_ends_the_pause_before_the_next_attempt()
    {
        _rig.Node.IsDown = true;
        _rig.Feed.Start();
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            await Eventually.TrueAsync("the pause", () =>
            {
                if (_rig.Node.Connects < attempt) _rig.Feed.Look();
                return _rig.Node.Connects >= attempt && _rig.Feed.Status.State == FeedState.Down;
            });
        }
    }

    [Fact]
    public async Task A_look_asks_for_the_role_before_it_is_due()
    {
        await _rig.StartAsync();
        await _rig.AnsweredAsync(8);
        var roles = _rig.Count("ROLE");
        _rig.Feed.Look();
        await Eventually.TrueAsync("the question", () => _rig.Count("ROLE") == roles + 1);
    }

    [Fact]
    public async Task Who_waits_for_the_subscription_goes_on_when_it_is_there_and_is_told_when_it_never_will_be()
    {
        var waiting = _rig.Feed.WaitSubscribedAsync(TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        await _rig.StartAsync();
        await waiting.WaitAsync(Soon, TestContext.Current.CancellationToken);
        await _rig.Feed.WaitSubscribedAsync(TestContext.Current.CancellationToken).WaitAsync(Soon, TestContext.Current.CancellationToken);

        _rig.Node.IsDown = true;
        await _rig.Node.CloseAsync();
        await _rig.StateAsync(FeedState.Down);
        waiting = _rig.Feed.WaitSubscribedAsync(TestContext.Current.CancellationToken);
        await _rig.Feed.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Soon, TestContext.Current.CancellationToken));
        Assert.Equal((FeedState.Stopped, false), (_rig.Feed.Status.State, _rig.Feed.Status.IsInStep));
        Assert.Single(_rig.Log.Lines, line => line.StartsWith("Information 2013", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task To_catch_up_the_role_is_asked_for_where_the_node_may_have_been_demoted(bool hasSuccessors)
    {
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = hasSuccessors });
        await rig.StartAsync();
        await rig.AnsweredAsync(8);
        var (roles, pings) = (rig.Count("ROLE"), rig.Count("PING"));
        await rig.Feed.CatchUpAsync(TimeSpan.FromHours(1)).WaitAsync(Soon, TestContext.Current.CancellationToken);
        Assert.Equal((roles + (hasSuccessors ? 1 : 0), pings + 1), (rig.Count("ROLE"), rig.Count("PING")));
    }

    [Fact]
    public async Task Catching_up_with_a_node_that_does_not_answer_ends_at_the_deadline_and_is_said()
    {
        await _rig.StartAsync();
        _rig.Node.Hold();
        var catching = _rig.Feed.CatchUpAsync(TimeSpan.FromSeconds(3));
        _rig.Time.Advance(TimeSpan.FromSeconds(3));
        await catching.WaitAsync(Soon, TestContext.Current.CancellationToken);
        Assert.Contains(_rig.Log.Lines, line => line.StartsWith("Warning 2014 feed redis://node:6379: the node did not answer within 3 s", StringComparison.Ordinal));
        _rig.Node.Release();
    }

    [Fact]
    public async Task With_a_silent_node_nobody_catches_up()
    {
        await _rig.StartAsync();
        _rig.Node.Hold();
        await _rig.BeatUntilAsync("the silence", () => _rig.Feed.Status.State == FeedState.Silent);
        await _rig.Feed.CatchUpAsync(TimeSpan.FromHours(1)).WaitAsync(Soon, TestContext.Current.CancellationToken);
        _rig.Node.Release();
    }

    [Fact]
    public async Task At_the_end_what_still_waits_for_an_answer_is_passed_on()
    {
        await _rig.StartAsync();
        await Eventually.TrueAsync("the answers", () => _rig.Feed.Pulse.Waiting == 0);
        var batches = _rig.Sink.Batches;
        _rig.Node.Hold();
        await _rig.Node.EventAsync("waits");
        await Eventually.TrueAsync("the event", () => _rig.Feed.Status.Received == 1);
        Assert.Empty(_rig.Sink.Keys);
        await _rig.Feed.Ending.ConcludeAsync();
        Assert.Equal(["waits"], _rig.Sink.Keys);
        Assert.Equal(batches + 1, _rig.Sink.Batches);
        _rig.Node.Release();
    }

    [Fact]
    public async Task A_lost_subscription_shows_in_the_status_and_the_next_one_is_counted()
    {
        await _rig.StartAsync();
        await _rig.AnsweredAsync(1);
        _rig.Node.IsDown = true;
        await _rig.Node.CloseAsync();
        await Eventually.TrueAsync("the next failure", () => _rig.Feed.Status is { State: FeedState.Down, LastError: { } error } && !error.StartsWith("the server", StringComparison.Ordinal));
        var status = _rig.Feed.Status;
        Assert.Equal((false, null, 0, 1), (status.IsInStep, status.SubscribedAt, status.Patterns.Count, status.Reconnects));
        Assert.Single(_rig.Log.Lines, line => line.StartsWith("Warning 2001", StringComparison.Ordinal));
        Assert.Single(_rig.Log.Lines, line => line.StartsWith("Warning 2002", StringComparison.Ordinal));
        var saidAt = _rig.Time.GetUtcNow();
        await _rig.AnsweredUntilAsync("it is said again", () => _rig.Log.Lines.Count(line => line.StartsWith("Warning 2002", StringComparison.Ordinal)) == 2);
        Assert.InRange(_rig.Time.GetUtcNow() - saidAt, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(70));
        Assert.Equal(1, _rig.Feed.Status.Reconnects);
    }

    /// <summary>Another node takes the place of the node, which calls itself a master still.</summary>
    private async Task SucceededAsync()
    {
        await using var successor = new ScriptedFeed(); // its clock is behind that of the node, so the node has answered since it is a master
        await successor.StartAsync();
        _rig.Feed.Fence(true);
        _rig.Feed.SucceededBy(successor.Feed);
    }
}
