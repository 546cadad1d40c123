using System.Globalization;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>How does a feed take part in a group, and what of it can a message of somebody else disturb?</summary>
public sealed class NodeFeedGroupTests : IAsyncDisposable
{
    private const ulong Run = 0xaaaaaaaaaaaaaaaa;

    private readonly FixedConfig _config = new();
    private readonly GroupEnvelope _envelope = new("orders", new MessageSeal(null));
    private readonly RecordingDuties _duties = new();
    private readonly ScriptedFeed _feed;

    public NodeFeedGroupTests() => _feed = new ScriptedFeed(group: new GroupMembership(_envelope, () => _duties, _config));

    public ValueTask DisposeAsync() => _feed.DisposeAsync();

    [Fact]
    public async Task A_member_alone_begins_anew_and_passes_on_what_came_meanwhile()
    {
        await SubscribedAsync();
        await _feed.Node.EventAsync("early");
        await HoldsAsync();
        await _feed.Node.EventAsync("late");
        await _feed.KeysAsync("early", "late");
    }

    [Fact]
    public async Task Nothing_is_passed_on_behind_a_claim_of_another_member()
    {
        await HoldsAsync();
        await _feed.Node.EventAsync("mine");
        await _feed.KeysAsync("mine");
        var claim = _feed.Feed.GroupStatus.Term;
        await SayAsync(new GroupMessage.Claim("x", claim + 1, new MessageId(_feed.Feed.MemberName, claim), default));
        await Eventually.TrueAsync("the handover", () => _duties.Told.Contains("hand over"));
        await _feed.Node.EventAsync("others");
        await Eventually.TrueAsync("the event to be kept", () => _feed.Feed.Status.Received == 2);
        Assert.Equal(["mine"], _feed.Sink.Keys);
    }

    [Fact]
    public async Task When_another_member_joins_the_flags_are_looked_at_at_once()
    {
        await HoldsAsync();
        var looks = FlagsLooks();
        await SayAsync($"1 orders {Run:x16} who x 4611686018427387904");
        await Eventually.TrueAsync("a look", () => FlagsLooks() == looks + 1); // no time passes

        int FlagsLooks() => _feed.Node.Commands.Count(static command => command.StartsWith("CONFIG GET", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("who x 4611686018427387904")]
    [InlineData("mark x 4611686018427387904 reach=4611686018427387904-2147483647 broker=up")]
    [InlineData("claim NAME 77 follows=NAME/1 reach=0-0")]
    [InlineData("resign NAME 77 claim=NAME/1 settled=9-9")]
    [InlineData("state x 77 asked=NAME/1 marker=5 claim=x/5 holder=x settled=1-0 marks= pending= config=0")]
    public async Task A_forged_message_does_not_stop_the_holder(string text)
    {
        await HoldsAsync();
        await SayAsync($"1 orders {Run:x16} {text.Replace("NAME", _feed.Feed.MemberName, StringComparison.Ordinal)}");
        await LookUntilAsync("marks that come back", () => _feed.Feed.Status.MarkersSeen > 8);
        await _feed.Node.EventAsync("after");
        await _feed.KeysAsync("after");
        Assert.True(_feed.Feed.GroupStatus.IsHolder);
        Assert.Equal(1, _feed.Node.Connects);
    }

    [Fact]
    public async Task Where_publishing_is_refused_the_connection_ends_and_is_tried_again()
    {
        _feed.Node.Answer = command => command[0] == "PUBLISH" ? "-NOPERM this user has no permissions to run the 'publish' command\r\n" : null;
        _feed.Feed.Want(EventClass.All);
        _feed.Feed.Start();
        await LookUntilAsync("a second connection", () => _feed.Node.Connects > 1);
        Assert.Contains("takes no part in its group", _feed.Feed.Status.RemedyText, StringComparison.Ordinal);
        Assert.Empty(_duties.Told);

        _feed.Node.Answer = _ => null;
        await LookUntilAsync("the office", () => _feed.Feed.GroupStatus.IsHolder);
    }

    [Fact]
    public async Task Before_one_node_of_a_cluster_it_speaks_on_a_channel_of_that_node()
    {
        await using var feed = new ScriptedFeed(node: new ScriptedNode { IsCluster = true }, group: new GroupMembership(_envelope, () => _duties, _config));
        feed.Feed.Want(EventClass.All);
        feed.Feed.Start();
        await LookUntilAsync(feed, "the office", () => feed.Feed.GroupStatus.IsHolder);
        Assert.Contains($"SUBSCRIBE {MarkerChannel.PlainName}:{Run:x16}", feed.Node.Commands);
    }

    [Theory]
    [InlineData("PUBLISH")]
    [InlineData("SUBSCRIBE")]
    public async Task Who_may_not_speak_goes_on_by_itself_if_nobody_has_named_the_group(string command)
    {
        await using var feed = new ScriptedFeed(options => options with { MayBeAlone = true }, group: new GroupMembership(_envelope, () => _duties, _config));
        feed.Node.Answer = words => words[0] == command ? $"-NOPERM this user has no permissions to run the '{command}' command\r\n" : words is ["PING", var text] ? ScriptedNode.Bulk(text) : null;
        feed.Feed.Want(EventClass.All);
        feed.Feed.Start();
        await LookUntilAsync(feed, "the office", () => feed.Feed.GroupStatus.IsHolder);
        await feed.Node.EventAsync("key");
        await feed.KeysAsync("key");
        Assert.Contains("until then PING takes its place, and others that send events to the same place send the same ones again", feed.Feed.Status.RemedyText, StringComparison.Ordinal);
        Assert.Equal(1, feed.Node.Connects);
    }

    [Theory]
    [InlineData(true, 0.25, 0.4)]
    [InlineData(false, 1, 1.3)]
    public async Task Whoever_kept_the_state_a_moment_ago_is_waited_for_longer_unless_it_has_ended(bool hasEnded, double least, double most)
    {
        await using var feed = new ScriptedFeed(group: new GroupMembership(_envelope, () => _duties, _config), shelf: new CheckpointRegistry("state", "orders"));
        var kept = new Checkpoint(new EventPosition(Run, 1, 5), feed.Time.GetUtcNow(), "orders", hasEnded).ToString();
        feed.Node.Answer = command => command is ["GET", ..] ? ScriptedNode.Bulk(kept) : null;
        feed.Feed.Want(EventClass.All);
        feed.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => feed.Feed.Status.IsInStep);
        var begun = feed.Time.GetUtcNow();
        await LookUntilAsync(feed, "the office", () => feed.Feed.GroupStatus.IsHolder);
        Assert.InRange((feed.Time.GetUtcNow() - begun).TotalSeconds, least, most);
    }

    [Fact]
    public async Task Who_is_to_publish_gaps_is_known_before_a_gap_is_declared()
    {
        var kept = new Checkpoint(new EventPosition(Run, 1, 5), DateTimeOffset.UnixEpoch, "orders").ToString();
        await using var feed = new ScriptedFeed(group: new GroupMembership(_envelope, () => _duties, _config), shelf: new CheckpointRegistry("state", "orders"));
        feed.Node.Answer = command => command is ["GET", ..] ? ScriptedNode.Bulk(kept) : null;
        var isHolder = new List<bool>();
        feed.Gaps.Closed += _ => isHolder.Add(feed.Feed.GroupStatus.IsHolder);
        feed.Feed.Want(EventClass.All);
        feed.Feed.Start();
        await Eventually.SoonTrueAsync("the gap", () =>
        {
            feed.Time.Advance(TimeSpan.FromMilliseconds(50));
            return isHolder.Count > 0;
        });
        Assert.Equal([true], isHolder);
        Assert.Equal(GapCause.NotRunning, Assert.Single(feed.Gaps.Recent).Cause);
    }

    [Fact]
    public async Task What_this_run_has_kept_itself_is_not_taken_for_an_earlier_life()
    {
        string? kept = null;
        await using var feed = new ScriptedFeed(group: new GroupMembership(_envelope, () => _duties, _config), shelf: new CheckpointRegistry("state", "orders") { Begun = new JumpingTime().GetUtcNow() });
        feed.Node.Answer = command => command is ["GET", ..] ? kept is null ? "$-1\r\n" : ScriptedNode.Bulk(kept) : null;
        feed.Feed.Want(EventClass.All);
        feed.Feed.Start();
        await LookUntilAsync(feed, "the office", () => feed.Feed.GroupStatus.IsHolder);
        kept = new Checkpoint(feed.Feed.Status.Position, feed.Time.GetUtcNow(), "orders").ToString();
        await feed.Node.CloseAsync();
        await LookUntilAsync(feed, "the second connection", () => feed.Node.Connects == 2 && feed.Feed.GroupStatus.IsHolder);
        await LookUntilAsync(feed, "more marks", () => feed.Feed.Status.MarkersSeen > 6);
        Assert.DoesNotContain(feed.Gaps.Recent, gap => gap.Cause == GapCause.NotRunning);
    }

    [Fact]
    public async Task The_gap_before_a_life_also_covers_what_was_pushed_out_of_the_ring_meanwhile()
    {
        var kept = new Checkpoint(new EventPosition(Run, 1, 5), DateTimeOffset.UnixEpoch, "orders").ToString();
        await using var feed = new ScriptedFeed(options => options with { GroupBytes = 500 }, group: new GroupMembership(_envelope, () => _duties, _config), shelf: new CheckpointRegistry("state", "orders"));
        feed.Node.Answer = command => command is ["GET", ..] ? ScriptedNode.Bulk(kept) : null;
        feed.Feed.Want(EventClass.All);
        feed.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => feed.Feed.Status.IsInStep);
        feed.Time.Advance(TimeSpan.FromMilliseconds(50));
        for (var i = 0; i < 50; i++) await feed.Node.EventAsync($"key-{i}");
        await Eventually.TrueAsync("the events", () => feed.Feed.Status.Received == 50);
        var read = feed.Time.GetUtcNow();
        await Eventually.SoonTrueAsync("the gap", () =>
        {
            feed.Time.Advance(TimeSpan.FromMilliseconds(50));
            return feed.Gaps.Total > 0;
        });
        var gap = Assert.Single(feed.Gaps.Recent);
        Assert.True(gap.FirstPosition!.Value.Count > 0);
        Assert.True(gap.To >= read);
    }

    [Fact]
    public async Task What_was_kept_is_asked_for_again_where_the_node_was_busy()
    {
        var asked = 0;
        await using var feed = new ScriptedFeed(group: new GroupMembership(_envelope, () => _duties, _config), shelf: new CheckpointRegistry("state", "orders"));
        var kept = new Checkpoint(new EventPosition(Run, 1, 5), DateTimeOffset.UnixEpoch, "orders").ToString();
        feed.Node.Answer = command => command is not ["GET", ..] ? null : asked++ == 0 ? "-BUSY Redis is busy running a script.\r\n" : ScriptedNode.Bulk(kept);
        feed.Feed.Want(EventClass.All);
        feed.Feed.Start();
        await Eventually.SoonTrueAsync("the gap", () =>
        {
            feed.Time.Advance(TimeSpan.FromMilliseconds(50));
            return feed.Gaps.Total > 0;
        });
        Assert.True(asked > 1);
    }

    [Fact]
    public async Task A_loss_that_another_member_covers_is_no_gap()
    {
        await HoldsAsync();
        await SayAsync(new GroupMessage.Mark("x", _feed.Feed.GroupStatus.Term + 1, default(StreamPlace), true, null));
        await LookUntilAsync("the other member", () => _feed.Feed.GroupStatus.Peers.Count == 2);
        await _feed.Node.CloseAsync();
        await Eventually.TrueAsync("what was not settled to be left", () => _duties.Told.Contains("hand over"));
        Assert.Equal(0, _feed.Gaps.Total);
    }

    [Fact]
    public async Task A_larger_term_in_the_way_is_passed_by_one_that_the_stream_has_proved()
    {
        await HoldsAsync();
        _duties.Fenced = (_feed.Time.GetTimestamp(), 5_000_000_000_000_000_000);
        await LookUntilAsync("the higher term", () => _duties.Told.Contains("hold 5000000000000000001"));
    }

    [Fact]
    public async Task A_claim_that_comes_back_when_its_seat_is_given_up_does_not_make_it_the_holder()
    {
        await using var feed = new ScriptedFeed(options => options with { GroupSeats = 1 }, group: new GroupMembership(_envelope, () => _duties, _config));
        feed.Node.Answer = command => command switch
        {
            ["PUBLISH", _, var text] when text.Contains(" claim ", StringComparison.Ordinal) => ":1\r\n", // it comes back later
            ["CONFIG", "GET", ..] when Said(" claim ") is { } claim && feed.Log.Lines.Any(line => line.Contains("listens to the group only", StringComparison.Ordinal)) =>
                $"{Message(claim.Split(' ', 3)[2])}%1\r\n{ScriptedNode.Bulk("notify-keyspace-events")}{ScriptedNode.Bulk("AKE")}",
            _ => null,
        };
        feed.Feed.Want(EventClass.All);
        feed.Feed.Start();
        await LookAsync("the question", () => Said(" who ") is not null);
        var asked = long.Parse(Said(" who ")!.Split(' ')[^1], CultureInfo.InvariantCulture);
        var (theirs, settled) = (new MessageId("!a", 5), new StreamPlace(asked, 0));
        await SayToAsync(new GroupMessage.StateOf("!a", asked + 1, new MessageId(feed.Feed.MemberName, asked), new GroupSnapshot(asked, theirs, "!a", settled, [], [], _config.Version, default)));
        await SayToAsync(new GroupMessage.Mark("!a", asked + 2, settled, true, new GroupMessage.HolderMark(theirs, settled)));
        await Eventually.TrueAsync("the other member", () => feed.Feed.GroupStatus is { Holder: "!a", Watermark: var watermark } && watermark == settled);
        var end = feed.Time.GetUtcNow().AddMilliseconds(700);
        await LookAsync("much of a second", () => feed.Time.GetUtcNow() >= end);
        await SayToAsync(new GroupMessage.Resign("!a", asked + 3, theirs, settled));
        await Eventually.TrueAsync("nobody to hold it", () => feed.Feed.GroupStatus.Holder is null);
        await LookAsync("the resignation", () => Said(" resign ") is not null);
        Assert.Empty(_duties.Told);

        Task LookAsync(string what, Func<bool> condition) => Eventually.SoonTrueAsync(what, () =>
        {
            if (condition()) return true;
            if (feed.Feed.Pulse.Waiting == 0) feed.Time.Advance(TimeSpan.FromMilliseconds(50));
            return condition();
        });

        string? Said(string what) => feed.Node.Commands.LastOrDefault(one => one.Contains(what, StringComparison.Ordinal));

        Task SayToAsync(GroupMessage message) => feed.Node.SayAsync(Message(_envelope.Write(message, Run)));
    }

    private async Task SubscribedAsync()
    {
        _feed.Feed.Want(EventClass.All);
        _feed.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => _feed.Feed.Status.IsInStep);
    }

    private async Task HoldsAsync()
    {
        if (!_feed.Feed.Status.IsInStep) await SubscribedAsync();
        await LookUntilAsync("the office", () => _feed.Feed.GroupStatus.IsHolder);
    }

    private Task LookUntilAsync(string what, Func<bool> condition) => LookUntilAsync(_feed, what, condition);

    private static Task LookUntilAsync(ScriptedFeed feed, string what, Func<bool> condition) => Eventually.SoonTrueAsync(what, () =>
    {
        if (condition()) return true;
        if (feed.Feed.Pulse.Waiting == 0) feed.Time.Advance(TimeSpan.FromMilliseconds(50));
        return condition();
    });

    private Task SayAsync(GroupMessage message) => SayAsync(_envelope.Write(message, Run));

    private Task SayAsync(string payload) => _feed.Node.SayAsync(Message(payload));

    private static string Message(string payload) => $">3\r\n$7\r\nmessage\r\n{ScriptedNode.Bulk(MarkerChannel.PlainName)}{ScriptedNode.Bulk(payload)}";
}
