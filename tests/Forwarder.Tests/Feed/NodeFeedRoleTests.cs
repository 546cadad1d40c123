using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What does a feed do as its node is a master, a replica, or neither is known? Over a scripted node, in virtual time.</summary>
public sealed class NodeFeedRoleTests
{
    private const string Master = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    private const string Slave = "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n";
    private const string Refused = "-NOPERM this user has no permissions\r\n";
    private const string Remedy = "ROLE and INFO are refused: grant +role, or events of a replica would be forwarded too, should this node become one";

    private readonly ScriptedNode _node = new();
    private volatile string _role = Master;
    private volatile string? _info;

    public NodeFeedRoleTests() => _node.Answer = command => command[0] == "ROLE" ? _role : command is ["INFO", "replication"] ? _info : null;

    [Fact]
    public async Task Where_ROLE_is_refused_INFO_tells_the_role_from_then_on()
    {
        (_role, _info) = (Refused, ScriptedNode.Bulk("role:master\r\n"));
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        Assert.Equal((NodeRole.Master, null), (rig.Feed.Status.Role, rig.Feed.Status.RemedyText));
        _info = ScriptedNode.Bulk("role:slave\r\nmaster_link_status:up\r\n");
        await rig.AnsweredUntilAsync("the feed to be held back", () => rig.Feed.Status.State == FeedState.HeldBack);
        Assert.Equal((NodeRole.Replica, 1), (rig.Feed.Status.Role, rig.Count("ROLE")));
        await Eventually.TrueAsync("the line", () => rig.Log.Lines.Contains("Information 2003 feed redis://node:6379: the node is now Replica "));
    }

    [Fact]
    public async Task However_many_clients_wait_for_the_node_the_role_is_asked_once_until_it_is_answered()
    {
        var gate = new CoverageGate("node", TimeSpan.FromSeconds(1), new FakeTimeProvider(), NullLogger.Instance);
        await using var rig = new ScriptedFeed(node: _node, clients: gate);
        await rig.StartAsync();
        _role = ""; // no answer
        var (asked, published) = (rig.Count("ROLE"), rig.Count("PUBLISH"));
        gate.Show(isMissing: true);
        for (var i = 0; i < 1000; i++) _ = gate.WaitAsync();
        Assert.Equal(1000, gate.Waits);
        rig.Time.Advance(ScriptedFeed.Beat);
        await Eventually.TrueAsync("a marker behind the questions", () => rig.Count("PUBLISH") > published);
        Assert.InRange(rig.Count("ROLE") - asked, 1, 2); // one for the clients, and perhaps that of the beat
    }

    [Fact]
    public async Task Where_both_are_refused_events_are_forwarded_and_it_is_asked_again_after_half_a_minute()
    {
        (_role, _info) = (Refused, Refused);
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        Assert.Equal((NodeRole.Unknown, Remedy), (rig.Feed.Status.Role, rig.Feed.Status.RemedyText));
        await _node.EventAsync("a");
        await rig.KeysAsync("a");
        await rig.AnsweredAsync(116);
        Assert.Equal((1, 1), (rig.Count("ROLE"), rig.Count("INFO replication")));

        _role = Slave;
        await rig.AnsweredUntilAsync("the role", () => rig.Feed.Status.Role == NodeRole.Replica);
        Assert.Equal((2, 1), (rig.Count("ROLE"), rig.Count("INFO replication")));
        Assert.Null(rig.Feed.Status.RemedyText);
        var roles = rig.Count("ROLE");
        await rig.AnsweredAsync(4);
        Assert.Equal(roles + 1, rig.Count("ROLE")); // each second again
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_is_too_busy_to_tell_keeps_its_role(bool byInfo)
    {
        (_role, _info) = byInfo ? (Refused, ScriptedNode.Bulk("role:slave\r\n")) : (Slave, null);
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = true }, _node);
        await rig.StartAsync();
        await rig.StateAsync(FeedState.HeldBack);
        var (roles, infos) = (rig.Count("ROLE"), rig.Count("INFO replication"));
        if (byInfo) _info = "-BUSY Redis is busy running a script\r\n";
        else _role = "-BUSY Redis is busy running a script\r\n";
        await rig.AnsweredAsync(8);
        Assert.Equal((NodeRole.Replica, FeedState.HeldBack, null), (rig.Feed.Status.Role, rig.Feed.Status.State, rig.Feed.Status.RemedyText));
        Assert.Equal(byInfo ? (roles, infos + 2) : (roles + 2, infos), (rig.Count("ROLE"), rig.Count("INFO replication"))); // the same is asked again
        _node.IsDown = true;
        await _node.CloseAsync();
        await rig.StateAsync(FeedState.Down);
        Assert.Equal(0, rig.Gaps.Total); // a replica's events are nobody's loss
    }

    [Fact]
    public async Task A_node_that_is_too_busy_to_tell_its_role_at_first_is_not_subscribed_to()
    {
        _role = "-MASTERDOWN Link with MASTER is down\r\n";
        await using var rig = new ScriptedFeed(node: _node);
        rig.Want(EventClass.All);
        rig.Feed.Start();
        await Eventually.TrueAsync("the reason", () => rig.Feed.Status.LastError is not null);
        Assert.Equal("the node does not say its role yet: MASTERDOWN Link with MASTER is down", rig.Feed.Status.LastError);
        Assert.Equal(0, rig.Count("PSUBSCRIBE"));
    }

    [Fact]
    public async Task A_replica_that_is_promoted_without_a_known_master_has_missed_what_was_held_back_since_it_was_last_one()
    {
        _role = Slave;
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        await rig.StateAsync(FeedState.HeldBack);
        Assert.Null(rig.Feed.Status.MasterSince);
        await rig.AnsweredAsync(4);
        var asked = rig.Count("ROLE");
        await _node.EventAsync("of the replica");
        await Eventually.TrueAsync("the event", () => rig.Feed.Status.HeldBack == 1);
        _role = Master;
        await rig.AnsweredUntilAsync("the promotion", () => rig.Feed.Status.State == FeedState.Subscribed);
        Assert.True(rig.Count("ROLE") > asked);

        var gap = Assert.Single(rig.Gaps.Recent);
        Assert.Equal((GapCause.Promoted, "the node was promoted; what it sent before that was noticed was held back"), (gap.Cause, gap.Detail));
        Assert.Equal(rig.Time.GetUtcNow(), gap.To);
        Assert.InRange(gap.Duration!.Value, TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1.25));
        Assert.Equal(rig.Time.GetUtcNow(), rig.Feed.Status.MasterSince);
        Assert.Contains("Information 2015 feed redis://node:6379: the node is forwarded from now; 0 of the notifications held back were new ", rig.Log.Lines);
        await _node.EventAsync("of the master");
        await rig.KeysAsync("of the master");
    }

    [Fact]
    public async Task What_a_promoted_node_sent_and_its_old_master_did_not_is_forwarded_first()
    {
        _role = Slave;
        var asked = new TaskCompletionSource<IReadOnlyList<RecordedNotification>?>();
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = true }, _node, predecessor: () => asked.Task);
        rig.Feed.RememberForSuccessors();
        await rig.StartAsync();
        await rig.StateAsync(FeedState.HeldBack);
        await rig.AnsweredAsync(4); // it says once more that it is a replica
        foreach (var key in new[] { "echo", "own" }) await _node.EventAsync(key);
        await Eventually.TrueAsync("the events", () => rig.Feed.Status.HeldBack == 2);
        _role = Master;
        await rig.AnsweredUntilAsync("the promotion", () => rig.Feed.Status.Role == NodeRole.Master);
        await _node.EventAsync("next");
        await Eventually.TrueAsync("the event", () => rig.Feed.Status.HeldBack == 3);
        Assert.Equal((FeedState.HeldBack, null), (rig.Feed.Status.State, rig.Feed.Status.MasterSince));

        asked.SetResult([new RecordedNotification(default, 0, "set"u8.ToArray(), "echo"u8.ToArray(), default, 0, default)]);
        await rig.KeysAsync("own", "next");
        await rig.StateAsync(FeedState.Subscribed);
        Assert.Contains(rig.Log.Lines, line => line.Contains("; 2 of the notifications held back were new", StringComparison.Ordinal));
        await _node.EventAsync("after");
        await rig.KeysAsync("own", "next", "after");
        Assert.Equal((0, 1), (rig.Gaps.Total, rig.Feed.Status.HeldBack));
        Assert.Equal(3, rig.Feed.SentLast.Count(one => !one.IsMarker));
    }

    [Fact]
    public async Task An_old_master_that_does_not_answer_in_ten_seconds_is_not_waited_for_any_longer()
    {
        _role = Slave;
        await using var rig = new ScriptedFeed(
            options => options with { HasSuccessors = true }, _node, predecessor: () => new TaskCompletionSource<IReadOnlyList<RecordedNotification>?>().Task);
        await rig.StartAsync();
        await rig.StateAsync(FeedState.HeldBack);
        await rig.AnsweredAsync(4); // it says once more that it is a replica
        await _node.EventAsync("held");
        await Eventually.TrueAsync("the event", () => rig.Feed.Status.HeldBack == 1);
        _role = Master;
        await rig.AnsweredUntilAsync("the promotion", () => rig.Feed.Status.Role == NodeRole.Master);
        await Eventually.TrueAsync("the question", () => rig.Time.Asked.Contains(TimeSpan.FromSeconds(10)));
        await rig.AnsweredAsync(36);
        Assert.Equal(FeedState.HeldBack, rig.Feed.Status.State);
        await rig.AnsweredUntilAsync("the end of the wait", () => rig.Feed.Status.State == FeedState.Subscribed);
        Assert.Equal(GapCause.Promoted, Assert.Single(rig.Gaps.Recent).Cause);
        Assert.Empty(rig.Sink.Keys);
    }

    [Fact]
    public async Task A_node_that_is_a_replica_again_before_its_promotion_is_settled_stays_held_back_and_what_it_sent_meanwhile_is_a_gap()
    {
        _role = Slave;
        var asked = new TaskCompletionSource<IReadOnlyList<RecordedNotification>?>();
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = true }, _node, predecessor: () => asked.Task);
        await rig.StartAsync();
        await rig.StateAsync(FeedState.HeldBack);
        await _node.EventAsync("held");
        await Eventually.TrueAsync("the event", () => rig.Feed.Status.HeldBack == 1);
        _role = Master;
        await rig.AnsweredUntilAsync("the promotion", () => rig.Feed.Status.Role == NodeRole.Master);
        _role = Slave;
        await rig.AnsweredUntilAsync("the demotion", () => rig.Feed.Status.Role == NodeRole.Replica);
        asked.SetResult([]);
        await rig.Feed.Ending.SettledAsync(TimeSpan.FromHours(1), TestContext.Current.CancellationToken);
        await rig.AnsweredAsync(4);
        Assert.Equal((FeedState.HeldBack, GapCause.Promoted), (rig.Feed.Status.State, Assert.Single(rig.Gaps.Recent).Cause));
        Assert.Empty(rig.Sink.Keys);
    }

    [Fact]
    public async Task A_node_is_a_master_since_it_was_first_known_as_one_also_over_a_lost_connection()
    {
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        var since = rig.Time.GetUtcNow();
        await rig.AnsweredAsync(4);
        var sent = rig.Feed.Status.MarkersSent;
        await _node.CloseAsync();
        await rig.AnsweredUntilAsync("the next connection", () => _node.Connects == 2 && rig.Feed.Status.IsInStep && rig.Count("PUBLISH") > sent);
        Assert.InRange(rig.Feed.Status.MarkersSent, sent + 1, long.MaxValue); // over both connections
        Assert.Equal(since, rig.Feed.Status.MasterSince);
        Assert.NotEqual(since, rig.Feed.Status.SubscribedAt);
    }

    [Fact]
    public async Task What_a_node_sent_as_a_master_is_forgotten_when_it_is_one_again()
    {
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = true }, _node);
        rig.Feed.RememberForSuccessors();
        await rig.StartAsync();
        await _node.EventAsync("old");
        await rig.KeysAsync("old");
        Assert.Single(rig.Feed.SentLast, one => !one.IsMarker);
        _role = Slave;
        await rig.AnsweredUntilAsync("the demotion", () => rig.Feed.Status.State == FeedState.HeldBack);
        _role = Master;
        await rig.AnsweredUntilAsync("the promotion", () => rig.Feed.Status.State == FeedState.Subscribed);
        Assert.DoesNotContain(rig.Feed.SentLast, one => !one.IsMarker);
    }

    [Fact]
    public async Task What_a_demoted_master_sent_last_is_left_to_its_successor_unless_that_one_has_sent_it()
    {
        IReadOnlyList<RecordedNotification> sent = [new RecordedNotification(default, 0, "set"u8.ToArray(), "both"u8.ToArray(), default, 0, default)];
        var shelf = new CheckpointRegistry("state", "me");
        var doubts = 0;
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = true }, _node, shelf: shelf, successor: () =>
        {
            doubts = shelf.Doubts;
            return Task.FromResult<IReadOnlyList<RecordedNotification>?>(sent);
        });
        await DemoteAsync(rig);
        await Eventually.TrueAsync("the question", () => doubts == 1);
        await Eventually.TrueAsync("the end of the doubt", () => shelf.Doubts == 0);
        await rig.Feed.Ending.SettledAsync(TimeSpan.FromHours(1), TestContext.Current.CancellationToken);
        Assert.Equal((FeedState.HeldBack, 0), (rig.Feed.Status.State, rig.Gaps.Total));
        Assert.Empty(rig.Sink.Keys);
        Assert.Equal("own", System.Text.Encoding.ASCII.GetString(Assert.Single(Assert.Single(rig.Feed.TakeEstate()).Events!.Read()).Key.Span));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // another process does not have the flags of the one before
    public async Task Flags_that_a_replica_lacks_may_have_been_missing_when_it_was_still_a_master(bool isSameProcess)
    {
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = true }, _node);
        await rig.StartAsync();
        await rig.AnsweredAsync(4);
        await Eventually.TrueAsync("the looks", () => rig.Feed.Pulse.Waiting == 0);
        var seen = rig.Time.GetUtcNow();
        var (usual, isBusy) = (_node.Answer, true);
        _node.Answer = command => isBusy && command is ["CONFIG", "GET", ..] ? "-BUSY Redis is busy running a script.\r\n" : usual(command);
        (_role, _node.Flags) = (Slave, "");
        await rig.AnsweredUntilAsync("the demotion", () => rig.Feed.Status.State == FeedState.HeldBack);
        isBusy = false;
        if (!isSameProcess)
        {
            _node.Run = 'b';
            await _node.CloseAsync();
        }

        await rig.AnsweredUntilAsync("the flags", () => rig.Feed.Status.State == FeedState.HeldBack && _node.Flags.Length > 0);
        var flags = rig.Gaps.Recent.Where(static gap => gap.Cause == GapCause.FlagsMissing).ToList();
        Assert.Equal(isSameProcess ? 1 : 0, flags.Count);
        Assert.All(flags, gap => Assert.True(gap.From <= seen && gap.To >= seen, $"{gap.From:O} to {gap.To:O}, and they were seen at {seen:O}"));
    }

    [Fact]
    public async Task What_a_demoted_master_sent_last_is_a_gap_where_its_successor_is_not_known()
    {
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = true }, _node);
        var proven = await DemoteAsync(rig);
        await Eventually.TrueAsync("the gap", () => rig.Gaps.Recent is [{ IsOpen: false }]);
        var gap = rig.Gaps.Recent[0];
        Assert.Equal((GapCause.Promoted, "the node was demoted, and its successor is not known yet", 1), (gap.Cause, gap.Detail, gap.LastPosition.Count));
        Assert.Equal(proven, gap.From);
        Assert.Empty(rig.Sink.Keys);
    }

    /// <summary>Two events, behind which the node says that it is a replica. Returns when it was asked before that.</summary>
    private async Task<DateTimeOffset> DemoteAsync(ScriptedFeed rig)
    {
        await rig.StartAsync();
        await rig.AnsweredAsync(4);
        await Eventually.TrueAsync("the role", () => rig.Feed.Pulse.Waiting == 0);
        var asked = rig.Time.GetUtcNow();
        rig.Time.Advance(TimeSpan.FromMilliseconds(100));
        _role = Slave;
        await _node.SayAsync(ScriptedNode.EventFrame("set", "both") + ScriptedNode.EventFrame("set", "own"));
        await rig.StateAsync(FeedState.HeldBack);
        return asked;
    }
}
