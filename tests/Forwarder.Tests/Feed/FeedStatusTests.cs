using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is what a feed knows of itself and its node counted, told and remembered as it should be?</summary>
public sealed class FeedStatusTests
{
    [Fact]
    public void Progress_counts_everything_and_others_see_it_when_it_is_published()
    {
        var progress = new FeedProgress();
        progress.Begin(7, 100);
        Assert.Equal(new EventPosition(7, 100, 0), progress.Published.Position);
        Assert.Equal(new EventPosition(7, 100, 1), progress.Receive());
        progress.PassOversized();
        progress.PassRefused();
        Assert.Equal(new EventPosition(7, 100, 3), progress.Receive());
        for (var i = 0; i < 3; i++) progress.HoldBack();
        progress.Release(2);
        Assert.Equal((1, 1, 1), (progress.HeldBack, progress.Oversized, progress.Refused));
        Assert.Equal(0, progress.Published.Received);

        progress.Mark(101, isOwn: true);
        progress.Publish();
        Assert.Equal(new FeedProgress.Snapshot(new EventPosition(7, 101, 0), 1, 2, 1, 1, 1), progress.Published);
        progress.Begin(8, 200);
        Assert.Equal(new EventPosition(8, 200, 0), progress.Published.Position);
        Assert.Equal(2, progress.Published.Received);
    }

    [Fact]
    public void A_remedy_is_said_once_until_it_changes_and_its_end_is_said_too()
    {
        var log = new RecordingLogger();
        var remedies = new FeedRemedies("node", log);
        remedies.Set(FeedAspect.Role, null);
        Assert.Null(remedies.Text);
        remedies.Set(FeedAspect.Role, "grant +role");
        remedies.Set(FeedAspect.Role, "grant +role");
        remedies.Set(FeedAspect.Login, "log in");
        Assert.Equal("log in; grant +role", remedies.Text);
        remedies.Set(FeedAspect.Role, null);
        remedies.Set(FeedAspect.Role, null);
        Assert.Equal("log in", remedies.Text);

        Assert.Equal(
            ["Warning 2008 feed node: grant +role ", "Warning 2008 feed node: log in ", "Information 2009 feed node: Role is as it should be again "],
            log.Lines);
    }

    [Fact]
    public void Who_waits_for_a_change_is_woken_by_a_change_alone()
    {
        var board = new ObservableStatus(new NodeFeedStatus { Node = "node" });
        var changed = board.Changed;
        board.Change(status => status with { Node = "node" });
        Assert.False(changed.IsCompleted);
        board.Change(status => status with { Reconnects = 1 });
        Assert.True(changed.IsCompletedSuccessfully);
        Assert.Equal(("node", 1), (board.Status.Node, board.Status.Reconnects));
        Assert.False(board.Changed.IsCompleted);
    }

    [Theory]
    [InlineData("00000000000000ab1111111111111111", 0xab)]
    [InlineData("00000000000000ab", 0xab)]
    [InlineData("0000000000000ab", 0xcd)]
    [InlineData("", 0xcd)]
    [InlineData("not hexadecimal!", 0xcd)]
    public void A_node_is_known_by_the_first_digits_of_its_run_id_or_else_by_the_feeds_own(string runId, ulong number)
    {
        Assert.Equal(number, new NodeIdentity(runId, "", ServerEvents.Newest).RunNumber("00000000000000cd"));
        Assert.Equal(0ul, new NodeIdentity("", "", ServerEvents.Newest).RunNumber("cd"));
    }

    [Fact]
    public void A_silence_begins_after_eight_beats_without_a_read_and_ends_with_one()
    {
        var silence = new SilenceDetector(new NodeFeedOptions());
        Assert.False(silence.Beat(reads: 0, isAnswerDue: true));
        for (var beat = 1; beat < 8; beat++) Assert.False(silence.Beat(reads: 0, isAnswerDue: true));
        var begun = silence.Begun;
        Assert.False(silence.IsOn || begun.IsCompleted || silence.IsUnbroken(0));
        Assert.True(silence.Beat(reads: 0, isAnswerDue: true));
        Assert.True(silence.IsOn && begun.IsCompleted && !silence.Ended.IsCompleted);
        Assert.Equal(TimeSpan.FromSeconds(2), silence.Lasted);
        Assert.False(silence.Beat(reads: 0, isAnswerDue: true));
        Assert.Equal(TimeSpan.FromSeconds(2.25), silence.Lasted);

        var ended = silence.Ended;
        silence.End();
        Assert.True(ended.IsCompleted);
        Assert.False(silence.IsOn || silence.Begun.IsCompleted);
        Assert.Equal(TimeSpan.Zero, silence.Lasted);
        for (var beat = 0; beat < 8; beat++) silence.Beat(reads: 0, isAnswerDue: true);
        Assert.True(silence.Begun.IsCompleted);
        Assert.False(silence.Ended.IsCompleted);
    }

    [Fact]
    public void Each_slot_has_its_key_and_the_newest_state_of_all_is_known()
    {
        var shelf = new CheckpointRegistry("state", "me");
        Assert.Equal(("state", "state{7}", "me"), (shelf.At(null).Key, shelf.At("7").Key, shelf.Writer));
        Assert.Same(shelf.At("7"), shelf.At("7"));
        Assert.Null(shelf.Newest);
        var at = new FakeTimeProvider().GetUtcNow();
        Checkpoint old = new(default, at, "old"), newer = new(default, at.AddSeconds(1), "newer");
        shelf.Found(old);
        Assert.Same(old, shelf.Newest);
        shelf.Found(newer);
        shelf.Found(old);
        Assert.Same(newer, shelf.Newest);

        shelf.BeginDoubt();
        shelf.BeginDoubt();
        shelf.EndDoubt();
        Assert.Equal(1, shelf.Doubts);
    }

    [Theory]
    [InlineData("253402300799999", true)]
    [InlineData("253402300800000", false)]
    public void A_state_of_the_last_day_of_time_is_one_and_a_later_one_is_none(string milliseconds, bool isOne) =>
        Assert.Equal(isOne, Checkpoint.Parse($"1 00000000000000ab-1-0 {milliseconds} w") is not null);

    [Fact]
    public void The_first_position_in_the_stream_is_that_of_flags_seen_before_it()
    {
        var flags = new FlagsLastSeen();
        flags.Begin(new EventPosition(1, 2, 3));
        flags.Begin(new EventPosition(4, 5, 6));
        Assert.Equal(new EventPosition(1, 2, 3), flags.Position);
    }
}
