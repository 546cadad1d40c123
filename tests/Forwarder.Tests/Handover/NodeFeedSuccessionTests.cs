using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>How does the feed of a node that may be promoted or demoted take part in a group?</summary>
public sealed class NodeFeedSuccessionTests : IAsyncDisposable
{
    private const string Master = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    private const string Slave = "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n";

    private readonly RecordingDuties _duties = new();
    private readonly FixedConfig _config = new();
    private readonly ScriptedNode _node = new() { Server = ("redis", "7.0.0") };
    private readonly List<ScriptedFeed> _feeds = [];
    private volatile string _role = Master;

    public async ValueTask DisposeAsync()
    {
        foreach (var feed in _feeds) await feed.DisposeAsync();
    }

    [Fact]
    public async Task A_masters_event_is_passed_on_when_the_node_has_said_behind_it_that_it_is_one()
    {
        var feed = await HoldsAsync(_node);
        _role = "";
        await feed.Node.EventAsync("a");
        await Eventually.TrueAsync("the event", () => feed.Feed.Status.Received == 1);
        Assert.Empty(feed.Sink.Keys);
        _role = Master;
        await feed.Node.SayAsync(Master); // the answer that was held back
        await feed.KeysAsync("a");
    }

    [Fact]
    public async Task What_waits_is_passed_on_at_once_where_another_member_begins_anew_without_it()
    {
        var feed = await HoldsAsync(_node);
        _role = "";
        await feed.Node.EventAsync("a");
        await Eventually.TrueAsync("the event", () => feed.Feed.Status.Received == 1);
        var number = feed.Feed.GroupStatus.Term + (1L << 40);
        Assert.Empty(feed.Sink.Keys);
        await SayAsync(feed, new GroupMessage.Who("x", number), new GroupMessage.FreshClaim("x", number + 1, number, default, 1)); // at once, so that nobody answers in between
        await Eventually.TrueAsync("the other holder", () => feed.Feed.GroupStatus.Holder == "x");
        Assert.Equal(["a"], feed.Sink.Keys);
    }

    [Fact]
    public async Task An_event_that_has_waited_is_judged_by_the_configuration_of_its_place()
    {
        var feed = await HoldsAsync(_node);
        _role = "";
        await feed.Node.EventAsync("before");
        await Eventually.TrueAsync("the event", () => feed.Feed.Status.Received == 1);
        await SayAsync(feed, "config x 3000 config=9 text={}");
        await Eventually.TrueAsync("the change", () => _config.Version == 9);
        await feed.Node.EventAsync("behind");
        _role = Master;
        await feed.Node.SayAsync(Master);
        await feed.KeysAsync("before", "behind");
        Assert.Equal(["before"], feed.Sink.Before);

        // What is said again is no change.
        _role = "";
        await feed.Node.EventAsync("later");
        await SayAsync(feed, "config x 3001 config=9 text={}");
        _role = Master;
        await feed.Node.SayAsync(Master);
        await feed.KeysAsync("before", "behind", "later");
        Assert.Equal(["before"], feed.Sink.Before);
    }

    [Fact]
    public async Task A_change_that_another_stream_has_told_is_in_force_here_from_its_own_place_on()
    {
        var feed = await HoldsAsync(_node);
        (_config.Version, _config.FormerClasses, _config.Classes) = (9, EventClass.String, EventClass.Hash);
        await feed.Node.EventAsync("still counted");
        await feed.KeysAsync("still counted");
        Assert.Equal(["still counted"], feed.Sink.Before);

        await SayAsync(feed, "config x 3000 config=9 text={}");
        await Eventually.TrueAsync("the version", () => feed.Feed.GroupStatus.ConfigVersion == 9);
        await feed.Node.EventAsync("no longer counted");
        await feed.Node.SayAsync(ScriptedNode.EventFrame("hset", "counted now"));
        await feed.KeysAsync("still counted", "counted now");
        Assert.Equal(["still counted"], feed.Sink.Before);
        Assert.DoesNotContain("take {}", _config.Told);
    }

    [Fact]
    public async Task What_comes_in_the_stream_of_a_replica_changes_nothing_yet()
    {
        _role = Slave;
        var feed = await HoldsAsync(_node);
        await SayAsync(feed, "config x 3000 config=9 text={}");
        await Eventually.TrueAsync("the version", () => feed.Feed.GroupStatus.ConfigVersion == 9);
        Assert.DoesNotContain("take {}", _config.Told);
        Assert.NotNull(feed.Feed.GroupStatus.Holder);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_an_earlier_life_has_kept_of_the_old_master_is_declared_at_the_promotion_also_where_the_node_is_busy_then(bool isBusy)
    {
        _role = Slave;
        var kept = new Checkpoint(new EventPosition(0xbbb, 1, 5), DateTimeOffset.UnixEpoch, "orders").ToString();
        var busy = isBusy ? 3 : 0;
        var node = new ScriptedNode { Server = ("redis", "7.0.0") };
        var feed = await HoldsAsync(node, new CheckpointRegistry("state", "orders"));
        var usual = node.Answer;
        node.Answer = command => command is not ["GET", ..] ? usual(command) : busy-- > 0 ? "-BUSY Redis is busy running a script.\r\n" : ScriptedNode.Bulk(kept);
        Assert.Equal(0, feed.Gaps.Total);
        _role = Master;
        await LookUntilAsync(feed, "the gap", () => feed.Gaps.Recent.Any(gap => gap.Cause == GapCause.NotRunning));
        Assert.Equal(DateTimeOffset.UnixEpoch, feed.Gaps.Recent.First(gap => gap.Cause == GapCause.NotRunning).From);
    }

    [Fact]
    public async Task Who_was_in_step_when_another_member_held_the_promoted_node_declares_no_time_without_anybody()
    {
        _role = Slave;
        var feed = await HoldsAsync(_node, new CheckpointRegistry("state", "orders"));
        var status = feed.Feed.GroupStatus;
        await SayAsync(feed, new GroupMessage.Claim("x", status.Term + 1, new MessageId(feed.Feed.MemberName, status.Term), default));
        await Eventually.TrueAsync("the other holder", () => feed.Feed.GroupStatus.Holder == "x");
        _role = Master;
        await LookUntilAsync(feed, "the promotion", () => feed.Feed.Status.State == FeedState.Subscribed);
        var kept = new Checkpoint(new EventPosition(status.RunId, status.Term + 1, 0), feed.Time.GetUtcNow(), "orders").ToString();
        var usual = _node.Answer;
        _node.Answer = command => command is ["GET", ..] ? ScriptedNode.Bulk(kept) : usual(command);
        await _node.CloseAsync();
        await LookUntilAsync(feed, "the office, as nobody has answered", () => _node.Connects == 2 && feed.Feed.GroupStatus.IsHolder);
        Assert.DoesNotContain(feed.Gaps.Recent, gap => gap.Cause == GapCause.NotRunning && gap.Detail.StartsWith("keyevt did not run", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_knew_the_old_master_but_not_all_that_was_not_settled_there_declares_it_at_the_promotion_of_another_node(bool knowsAll)
    {
        var shelf = new CheckpointRegistry("state", "orders") { Begun = DateTimeOffset.UnixEpoch };
        var old = await HoldsAsync(_node, shelf);
        var status = old.Feed.GroupStatus!;
        await SayAsync(old, new GroupMessage.Claim("x", status.Term + 1, new MessageId(old.Feed.MemberName, status.Term), default));
        await Eventually.TrueAsync("the other holder", () => old.Feed.GroupStatus!.Holder == "x");
        await old.Node.EventAsync("a"); // kept here until the other holder has settled it
        await LookUntilAsync(old, "the event", () => old.Feed.GroupStatus!.KeptCount == 1);
        if (!knowsAll) old.Feed.Want(EventClass.None); // what it has kept is given up
        await LookUntilAsync(old, "what it has kept", () => old.Feed.GroupStatus!.ReachesBack == knowsAll);
        var kept = new Checkpoint(new EventPosition(status.RunId, status.Term, 0), DateTimeOffset.UnixEpoch, "orders").ToString();
        _role = Slave;
        var node = new ScriptedNode { Server = ("redis", "7.0.0"), Run = 'c' };
        var next = await HoldsAsync(node, shelf);
        await old.Node.CloseAsync();
        var usual = node.Answer;
        node.Answer = command => command is ["GET", ..] ? ScriptedNode.Bulk(kept) : usual(command);
        _role = Master;
        await LookUntilAsync(next, "the promotion", () => next.Feed.Status.State == FeedState.Subscribed && node.Commands.Any(static command => command.StartsWith("GET state", StringComparison.Ordinal)));
        await next.Node.EventAsync("b");
        await next.KeysAsync("b");
        Assert.Equal(knowsAll ? 0 : 1, next.Gaps.Recent.Count(static gap => gap.Cause == GapCause.NotRunning));
    }

    [Fact]
    public async Task A_replicas_stream_has_a_holder_and_what_it_held_back_is_passed_on_once_it_is_a_master()
    {
        _role = Slave;
        var feed = await HoldsAsync(_node);
        Assert.Empty(_duties.Told);
        Assert.Equal(FeedState.HeldBack, feed.Feed.Status.State);
        var term = feed.Feed.GroupStatus.Term;
        await feed.Node.EventAsync("a");
        await Eventually.TrueAsync("the event", () => feed.Feed.Status.HeldBack == 1);
        Assert.Empty(feed.Sink.Keys);

        _role = Master;
        await LookUntilAsync(feed, "the promotion", () => feed.Sink.Keys.Contains("a"));
        Assert.True(feed.Sink.Entries[0].Position.Marker >= term, "the position is not one that all members know");
        Assert.Contains($"hold {term}", _duties.Told);
    }

    [Fact]
    public async Task What_was_held_back_is_not_settled_before_it_has_been_passed_on()
    {
        _role = Slave;
        var feed = await HoldsAsync(_node);
        feed.Sink.SettledMark = 0; // delivery settles nothing
        await feed.Node.EventAsync("a");
        await Eventually.TrueAsync("the event", () => feed.Feed.Status.HeldBack == 1);
        _role = Master;
        await LookUntilAsync(feed, "the promotion", () => feed.Sink.Keys.Contains("a"));
        var marks = feed.Count("PUBLISH");
        await LookUntilAsync(feed, "two marks", () => feed.Count("PUBLISH") > marks + 1);
        var (watermark, event1) = (feed.Feed.GroupStatus.Watermark, feed.Sink.Entries[0].Position);
        Assert.True((watermark.Marker, watermark.Count).CompareTo((event1.Marker, event1.Count)) < 0, $"{watermark} is not in front of {event1}");
    }

    [Fact]
    public async Task A_replica_that_another_member_holds_is_not_passed_on_when_it_is_a_master()
    {
        _role = Slave;
        var feed = await HoldsAsync(_node);
        var claim = feed.Feed.GroupStatus.Term;
        await SayAsync(feed, new GroupMessage.Claim("x", claim + 1, new MessageId(feed.Feed.MemberName, claim), default));
        await Eventually.TrueAsync("the other holder", () => feed.Feed.GroupStatus.Holder == "x");
        await feed.Node.EventAsync("a");
        _role = Master;
        await LookUntilAsync(feed, "the promotion", () => feed.Feed.Status.State == FeedState.Subscribed);
        await feed.Node.EventAsync("b");
        await LookUntilAsync(feed, "both to be kept", () => feed.Feed.GroupStatus.KeptCount == 2);
        Assert.Empty(feed.Sink.Keys);
        Assert.Empty(_duties.Told);
    }

    [Fact]
    public async Task A_master_that_is_demoted_hands_nothing_over_and_leaves_what_is_not_settled_to_its_successor()
    {
        var feed = await HoldsAsync(_node);
        await feed.Node.EventAsync("a");
        await feed.KeysAsync("a");
        Assert.Empty(feed.Feed.TakeEstate());
        _role = Slave;
        await LookUntilAsync(feed, "the demotion", () => feed.Feed.Status.State == FeedState.HeldBack);
        Assert.True(Assert.Single(feed.Feed.TakeEstate()).IsOwn);
        Assert.Empty(feed.Feed.TakeEstate());
        Assert.DoesNotContain("hand over", _duties.Told);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // its successor's holder goes on, and nobody here
    public async Task A_lost_connection_is_a_resignation_when_the_next_one_finds_the_node_a_master_still(bool isMaster)
    {
        var feed = await HoldsAsync(_node);
        await SayAsync(feed, new GroupMessage.Mark("x", feed.Feed.GroupStatus.Term + 1, default(StreamPlace), true, null));
        await LookUntilAsync(feed, "the other member", () => feed.Feed.GroupStatus.Peers.Count == 2);
        if (!isMaster) _role = Slave;
        await feed.Node.CloseAsync();
        await LookUntilAsync(feed, "the next connection", () => feed.Node.Connects == 2 && feed.Feed.Status.State == (isMaster ? FeedState.Subscribed : FeedState.HeldBack));

        Assert.Equal(isMaster, feed.Node.Commands.Any(static command => command.Contains(" resign ", StringComparison.Ordinal)));
        Assert.Equal(isMaster, _duties.Told.Contains("hand over"));
    }

    [Fact]
    public async Task In_a_cluster_a_group_speaks_on_a_channel_of_the_node_whatever_slots_it_serves()
    {
        var feed = await HoldsAsync(new ScriptedNode { IsCluster = true });
        Assert.Contains("SUBSCRIBE __keyevt__:marker:aaaaaaaaaaaaaaaa", feed.Node.Commands);
        Assert.Contains(feed.Node.Commands, command => command.StartsWith("PUBLISH __keyevt__:marker:aaaaaaaaaaaaaaaa 1 orders aaaaaaaaaaaaaaaa mark ", StringComparison.Ordinal));
        Assert.Equal((0, 0), (feed.Count("SSUBSCRIBE"), feed.Count("SPUBLISH")));
    }

    private static Task SayAsync(ScriptedFeed feed, string text) => feed.Node.SayAsync(
        $">3\r\n$7\r\nmessage\r\n{ScriptedNode.Bulk("__keyevt__:marker")}{ScriptedNode.Bulk($"1 orders {feed.Feed.GroupStatus.RunId:x16} {text}")}");

    private async Task<ScriptedFeed> HoldsAsync(ScriptedNode node, CheckpointRegistry? shelf = null)
    {
        node.Answer = command => command[0] == "ROLE" ? _role : null;
        var feed = new ScriptedFeed(
            options => options with { HasSuccessors = true }, node, shelf: shelf, predecessor: () => Task.FromResult<IReadOnlyList<RecordedNotification>?>([]), stateTag: () => "7",
            group: new GroupMembership(new GroupEnvelope("orders", new MessageSeal(null)), () => _duties, _config));
        _feeds.Add(feed);
        feed.Feed.Want(EventClass.All);
        feed.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => feed.Feed.Status.IsInStep);
        await LookUntilAsync(feed, "the office", () => feed.Feed.GroupStatus.IsHolder);
        return feed;
    }

    private static Task LookUntilAsync(ScriptedFeed feed, string what, Func<bool> condition) => Eventually.SoonTrueAsync(what, () =>
    {
        if (condition()) return true;
        if (feed.Feed.Pulse.Waiting == 0) feed.Time.Advance(TimeSpan.FromMilliseconds(50));
        return condition();
    });

    private static Task SayAsync(ScriptedFeed feed, params IEnumerable<GroupMessage> messages)
    {
        var envelope = new GroupEnvelope("orders", new MessageSeal(null));
        return feed.Node.SayAsync(string.Concat(messages.Select(message =>
            $">3\r\n$7\r\nmessage\r\n{ScriptedNode.Bulk("__keyevt__:marker")}{ScriptedNode.Bulk(envelope.Write(message, 0xaaaaaaaaaaaaaaaa))}")));
    }
}
