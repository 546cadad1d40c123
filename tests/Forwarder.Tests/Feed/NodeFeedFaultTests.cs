using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What does a feed do when its node or somebody else takes something away from it?</summary>
[Trait("Needs", "servers")]
public class NodeFeedFaultTests
{
    [Fact]
    public async Task R1_a_restarted_server_gets_its_flags_again_and_the_span_is_a_gap()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String);
        await rig.RedisAsync("SET", "before", "x");
        await rig.KeysAsync("before");
        var runId = rig.Feed.Status.RunId;

        await rig.Server.RestartAsync();
        var gap = await rig.GapClosedAsync();
        await rig.SubscribedAsync();
        await rig.RedisAsync("SET", "after", "x");

        await rig.KeysAsync("before", "after");
        Assert.Equal("$E", await rig.FlagsAsync());
        Assert.Equal(GapCause.ConnectionLost, gap.Cause);
        Assert.Equal(rig.Sink.Entries[0].Position.RunId, gap.LastPosition.RunId);
        Assert.Equal(rig.Sink.Entries[1].Position.RunId, gap.FirstPosition?.RunId);
        Assert.NotEqual(runId, rig.Feed.Status.RunId);
        Assert.True(gap.Duration > TimeSpan.Zero && gap.To > gap.From);
        Assert.Equal(1, rig.Gaps.Total);
        Assert.Equal(0, rig.Gaps.Open);
    }

    [Fact]
    public async Task R6_a_feed_that_Redis_cuts_off_for_its_output_comes_back_with_a_gap()
    {
        var sink = new BlockingSink();
        await using var rig = await FeedRig.StartAsync(EventClass.String, null, sink, "client-output-buffer-limit pubsub 64kb 0 0");
        string key = new('k', 20_000);

        // The sink keeps the reader from reading until the socket's buffers, and then Redis' own, are full.
        sink.Close();
        await using var client = await rig.Server.ConnectAsync();
        for (var i = 0; !(await rig.Server.CallAsync("CLIENT", "LIST", "TYPE", "pubsub")).Text.Equals("", StringComparison.Ordinal); i++)
        {
            Assert.True(i < 100, "Redis did not cut the feed off");
            for (var j = 0; j < 100; j++) await client.CallAsync("SET", key, "x");
        }

        sink.Open();

        var gap = await rig.GapClosedAsync();
        Assert.Equal(GapCause.ConnectionLost, gap.Cause);
        await rig.SubscribedAsync();
        var seen = sink.Count;
        await rig.RedisAsync("SET", "after", "x");
        await Eventually.TrueAsync("the next event", () => sink.Count > seen);
    }

    [Fact]
    public async Task R7_a_killed_subscription_is_a_gap_and_comes_back()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String);
        await rig.RedisAsync("SET", "before", "x");
        await rig.KeysAsync("before");
        var killedAt = DateTimeOffset.UtcNow;

        await rig.RedisAsync("CLIENT", "KILL", "TYPE", "pubsub");
        var gap = await rig.GapClosedAsync();
        await rig.SubscribedAsync();
        await rig.RedisAsync("SET", "after", "x");

        await rig.KeysAsync("before", "after");
        Assert.True(gap.From <= killedAt && gap.To >= killedAt, "the gap holds the moment of the kill");
        Assert.Equal(1, rig.Feed.Status.Reconnects);
        Assert.Equal(rig.Sink.Entries[0].Position.RunId, rig.Sink.Entries[1].Position.RunId);
        Assert.True(rig.Sink.Entries[1].Position.Marker > rig.Sink.Entries[0].Position.Marker);
    }

    [Fact]
    public async Task R8_flags_that_somebody_takes_away_are_noticed_set_again_and_a_gap()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String);
        var takenAt = DateTimeOffset.UtcNow;

        await rig.RedisAsync("CONFIG", "SET", "notify-keyspace-events", "");
        await Eventually.TrueAsync("the flags to be set again", async () => await rig.FlagsAsync() == "$E", TimeSpan.FromSeconds(5));
        var gap = await rig.GapClosedAsync();
        await rig.RedisAsync("SET", "after", "x");

        await rig.KeysAsync("after");
        Assert.Equal(GapCause.FlagsMissing, gap.Cause);
        Assert.True(gap.From <= takenAt && gap.To >= takenAt, "the gap holds the moment");
        Assert.Equal(0, rig.Feed.Status.Reconnects);
    }

    [Fact]
    public async Task R8_in_verify_mode_missing_flags_are_a_gap_until_somebody_sets_them()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String, options => options with { NotifyMode = NotifyMode.Verify });

        await Eventually.TrueAsync("an open gap", () => rig.Gaps.Open == 1);
        Assert.Contains("set it to '$E'", rig.Feed.Status.RemedyText, StringComparison.Ordinal);
        Assert.Equal("", await rig.FlagsAsync());

        await rig.RedisAsync("CONFIG", "SET", "notify-keyspace-events", "$E");

        await rig.GapClosedAsync();
        Assert.Null(rig.Feed.Status.RemedyText);
    }

    [Fact]
    public async Task R17_flags_taken_away_and_given_back_between_two_looks_are_a_gap()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String);
        await LooksAsync(rig);
        var before = DateTimeOffset.UtcNow;

        await using var client = await rig.Server.ConnectAsync();
        await client.SendAsync("CONFIG SET notify-keyspace-events \"\"\r\nSET missed x\r\nCONFIG SET notify-keyspace-events $E\r\n");
        for (var i = 0; i < 3; i++) Assert.Equal("OK", (await client.ReadReplyAsync()).Text);
        var gap = await rig.GapClosedAsync();
        await LooksAsync(rig);
        await rig.RedisAsync("SET", "after", "x");

        await rig.KeysAsync("after");
        Assert.Equal(GapCause.FlagsMissing, gap.Cause);
        Assert.True(gap.From <= before && gap.To >= before, "the gap holds the moment");
        Assert.Equal(1, rig.Gaps.Total);
        Assert.Equal(0, rig.Feed.Status.Reconnects);
    }

    [Fact]
    public async Task R17_a_reset_of_the_statistics_proves_nothing_and_is_a_gap()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String);
        await LooksAsync(rig);
        await rig.RedisAsync("CONFIG", "RESETSTAT");
        Assert.Contains("statistics", (await rig.GapClosedAsync()).Detail, StringComparison.Ordinal);
        await LooksAsync(rig);
        Assert.Equal(1, rig.Gaps.Total);
    }

    [Fact]
    public async Task R17_a_monitoring_program_that_sets_something_now_and_then_makes_no_gap()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String);
        for (var i = 0; i < 4; i++)
        {
            await rig.RedisAsync("CONFIG", "SET", "slowlog-max-len", "129");
            await rig.RedisAsync("CONFIG", "GET", "*");
            await LooksAsync(rig);
        }

        Assert.Equal(0, rig.Gaps.Total);
    }

    /// <summary>Until there has been a look, and one more behind it, with nothing done between them: with each marker there is one.</summary>
    private static Task LooksAsync(FeedRig rig)
    {
        var seen = rig.Feed.Status.MarkersSeen;
        return Eventually.TrueAsync("some looks at the flags", () => rig.Feed.Status.MarkersSeen > seen + 3);
    }

    [Fact]
    public async Task Other_letters_taken_away_are_no_gap()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String, null, null, "notify-keyspace-events AKE");
        var seen = rig.Feed.Status.MarkersSeen;

        await rig.RedisAsync("CONFIG", "SET", "notify-keyspace-events", "$E");

        await Eventually.TrueAsync("a look at the flags", () => rig.Feed.Status.NotifyFlags == "$E" && rig.Feed.Status.MarkersSeen > seen + 4);
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task R13_a_node_turned_replica_is_held_back_and_a_promoted_one_is_not()
    {
        await using var master = await RedisServer.StartAsync("repl-diskless-sync-delay 0");
        await using var rig = await FeedRig.StartAsync(EventClass.All);
        await rig.RedisAsync("SET", "as-master", "x");
        await rig.KeysAsync("as-master");

        await rig.RedisAsync("REPLICAOF", "127.0.0.1", master.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await Eventually.TrueAsync("the feed to be held back", () => rig.Feed.Status.State == FeedState.HeldBack);
        await Eventually.TrueAsync("an event of the replica", async () =>
        {
            await master.CallAsync("SET", "replicated", "x");
            return rig.Feed.Status.HeldBack > 0;
        });
        Assert.Equal(NodeRole.Replica, rig.Feed.Status.Role);

        await rig.RedisAsync("REPLICAOF", "NO", "ONE");
        await Eventually.TrueAsync("the promotion to be noticed", () => rig.Feed.Status.State == FeedState.Subscribed);
        await rig.RedisAsync("SET", "as-master-again", "x");

        await rig.KeysAsync("as-master", "as-master-again");
    }

    [Fact]
    public async Task What_a_promoted_node_sent_before_it_was_noticed_is_a_gap()
    {
        await using var master = await RedisServer.StartAsync("repl-diskless-sync-delay 0");
        await using var rig = await FeedRig.StartAsync(EventClass.All, options => options with { RoleInterval = TimeSpan.FromSeconds(3) });
        await rig.RedisAsync("REPLICAOF", "127.0.0.1", master.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await Eventually.TrueAsync("the feed to be held back", () => rig.Feed.Status.State == FeedState.HeldBack);

        await rig.RedisAsync("REPLICAOF", "NO", "ONE");
        await rig.RedisAsync("SET", "too-early", "x");

        var gap = await rig.GapClosedAsync();
        Assert.Equal(GapCause.Promoted, gap.Cause);
        Assert.DoesNotContain("too-early", rig.Sink.Keys);
    }

    [Fact]
    public async Task R15_a_frozen_server_is_said_to_be_silent_and_nothing_is_lost_when_it_goes_on()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String);
        await using var writer = await rig.Server.ConnectAsync();
        rig.Server.Freeze();
        await writer.SendCommandAsync("SET", "meanwhile", "x"); // executed when it goes on
        await rig.StateAsync(FeedState.Silent);
        rig.Server.Thaw();
        await writer.ReadReplyAsync();
        await rig.SubscribedAsync();
        await rig.RedisAsync("SET", "after", "x");

        await rig.KeysAsync("meanwhile", "after");
        Assert.Equal((0, 0), (rig.Gaps.Total, rig.Feed.Status.Reconnects));
    }

    [Fact]
    public async Task B13_a_connection_that_is_half_open_is_noticed_within_five_seconds_though_Redis_is_well()
    {
        var server = await RedisServer.StartAsync();
        await using var relay = new Relay(server.Port);
        await using var rig = FeedRig.Of(server, relay.Port); // owns the server
        rig.Want(EventClass.String);
        rig.Feed.Start();
        await rig.SubscribedAsync();
        relay.StickConnected();
        var brokenAt = DateTimeOffset.UtcNow;

        var gap = await rig.GapClosedAsync();
        Assert.Equal(GapCause.Silent, gap.Cause);
        Assert.InRange(gap.To!.Value - brokenAt, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5));
        Assert.True(gap.From <= brokenAt, "the gap begins before");
        await server.CallAsync("SET", "after", "x");
        await rig.KeysAsync("after");
        Assert.Equal((1, 1), (rig.Gaps.Total, rig.Feed.Status.Reconnects));
    }

    [Fact]
    public async Task R13_a_busy_script_that_answers_is_no_silence()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String, options => options with { MarkerDeadline = TimeSpan.FromSeconds(1) }, null, "busy-reply-threshold 100");
        await using var client = await rig.Server.ConnectAsync();
        await client.SendCommandAsync("EVAL", "while true do end", "0");
        var before = rig.Feed.Pulse.Beats;
        await Eventually.TrueAsync("some beats", () => rig.Feed.Pulse.Beats > before + 8);
        await rig.RedisAsync("SCRIPT", "KILL");
        await client.ReadReplyAsync();
        await rig.RedisAsync("SET", "after", "x");

        await rig.KeysAsync("after");
        Assert.Equal(0, rig.Feed.Status.Reconnects);
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task A_sink_that_throws_ends_the_feed_loudly()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String, null, new ThrowingSink());

        await rig.RedisAsync("SET", "a", "b");

        await Assert.ThrowsAsync<NotSupportedException>(() => rig.Feed.Completion.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        Assert.Equal(FeedState.Stopped, rig.Feed.Status.State);
        Assert.Contains(rig.Log.Lines, line => line.StartsWith("Critical 2012", StringComparison.Ordinal));
        Assert.Equal(1, rig.Gaps.Open);
    }
}
