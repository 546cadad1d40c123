using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Do a real Redis' events arrive, each once, as they are?</summary>
[Trait("Needs", "servers")]
public class NodeFeedEventsTests
{
    [Fact]
    public async Task An_event_arrives_with_its_database_class_name_and_key_byte_for_byte()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.Generic | EventClass.String);
        byte[] key = [0, 255, 13, 10, (byte)'$', 128, 10];
        await using var client = await rig.Server.ConnectAsync();
        await client.CallAsync("SELECT", "3");
        await client.SendAsync((byte[])[.. Encoding.ASCII.GetBytes($"*3\r\n$3\r\nSET\r\n${key.Length}\r\n"), .. key, .. "\r\n$1\r\nx\r\n"u8]);
        await client.ReadReplyAsync();

        await Eventually.TrueAsync("the event", () => rig.Sink.Entries.Count == 1);

        var entry = rig.Sink.Entries[0];
        Assert.Equal((3, EventClass.String, "set"), (entry.Database, entry.Class, entry.Event));
        Assert.Equal(key, entry.KeyBytes);
        Assert.InRange(entry.At, DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.AddMinutes(1).ToUnixTimeMilliseconds());
        Assert.Equal(rig.Feed.Status.RunId[..16], entry.Position.ToString()[..16]);
        Assert.True(rig.Sink.Batches > 0);
    }

    [Fact]
    public async Task Only_expired_is_subscribed_to_when_only_expired_is_wanted()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.Expired);

        await rig.RedisAsync("SET", "gone", "x", "PX", "1");
        await rig.KeysAsync("gone");

        Assert.Equal(["__keyevent@*__:expired"], rig.Feed.Status.Patterns);
        Assert.Equal("xE", rig.Feed.Status.NotifyFlags);
        Assert.Equal(1, rig.Feed.Status.Received);
        Assert.Equal(("7.0.15", NodeRole.Master), (rig.Feed.Status.RedisVersion, rig.Feed.Status.Role));
    }

    [Fact]
    public async Task Flags_are_added_to_those_that_others_have_set()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.Evicted, null, null, "notify-keyspace-events Kghx");

        Assert.Equal("ghxeKE".Order(), (await rig.FlagsAsync()).Order());
    }

    [Fact]
    public async Task Nothing_is_written_when_the_flags_are_there()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.Expired, null, null, "notify-keyspace-events AKE");

        Assert.DoesNotContain("config|set", (await rig.Server.CallAsync("INFO", "commandstats")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Positions_differ_and_rise_and_markers_come_back()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String);
        List<EventPosition> Positions() => [.. rig.Sink.Entries.Select(entry => entry.Position)];
        for (var i = 0; rig.Feed.Status.MarkersSeen < 3 || Positions().DistinctBy(p => p.Marker).Count() < 3; i++)
        {
            await rig.RedisAsync("SET", $"k{i}", "x");
        }

        var positions = Positions();

        Assert.Equal(positions.Distinct(), positions);
        Assert.Equal(positions.OrderBy(p => p.Marker).ThenBy(p => p.Count), positions);
    }

    [Fact]
    public async Task A_change_of_what_is_wanted_loses_no_event_and_doubles_none()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.Expired);
        await rig.RedisAsync("CONFIG", "SET", "notify-keyspace-events", "AE");
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            await using var client = await rig.Server.ConnectAsync();
            var written = 0;
            for (; !stop.IsCancellationRequested; written++)
            {
                // gone when it is looked at: one expired event each
                await client.CallAsync("EVAL", "redis.call('SET', KEYS[1], 'x', 'PX', 1)", "1", $"k{written}");
                await client.CallAsync("PING");
                await Eventually.TrueAsync("the key to go", async () => (await client.CallAsync("EXISTS", $"k{written}")).Text == "0");
            }

            return written;
        });

        for (var i = 0; i < 20; i++)
        {
            rig.Want(i % 2 == 0 ? EventClass.All : i % 4 == 1 ? EventClass.Expired : EventClass.Expired | EventClass.Evicted);
            await rig.SubscribedAsync();
            var seen = rig.Sink.Entries.Count;
            await Eventually.TrueAsync("more events", () => rig.Sink.Entries.Count > seen);
        }

        await stop.CancelAsync();
        var count = await writer;
        await Eventually.TrueAsync("the last event", () => rig.Sink.Entries.Count(entry => entry.Event == "expired") >= count);

        var expired = rig.Sink.Entries.Where(entry => entry.Event == "expired").Select(entry => entry.Key).ToList();
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"k{i}"), expired);
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task Wanting_nothing_gives_the_subscription_up_without_a_gap()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String);
        rig.Want(EventClass.None);
        await rig.SubscribedAsync();
        await rig.RedisAsync("SET", "unseen", "x");
        await rig.RedisAsync("CLIENT", "KILL", "TYPE", "pubsub");
        await Eventually.TrueAsync("the loss to be noticed", () => rig.Feed.Status.Reconnects == 1);
        await rig.SubscribedAsync();

        rig.Want(EventClass.String);
        await rig.SubscribedAsync();
        await rig.RedisAsync("SET", "seen", "x");

        await rig.KeysAsync("seen");
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task A_unix_socket_serves_as_well()
    {
        await using var server = await RedisServer.StartAsync([], unixSocket: true);
        var sink = new RecordingSink();
        var alone = new GroupOfOne();
        alone.Want(EventClass.String);
        await using var feed = new NodeFeed(
            RedisAddress.Parse($"unix:{server.UnixSocket}"), new NodeFeedOptions(), sink, new GapLog(), TimeProvider.System, new RecordingLogger(), alone.Membership);
        feed.Want(EventClass.String);
        feed.Start();
        await feed.WaitSubscribedAsync(TestContext.Current.CancellationToken);

        await server.CallAsync("SET", "a", "b");

        await Eventually.TrueAsync("the event", () => sink.Entries.Count == 1);
    }

    [Fact]
    public async Task A_frame_larger_than_any_segment_arrives_whole_and_one_over_the_limit_is_a_gap()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.String, options => options with { MaxFrameBytes = 1024 * 1024 });
        string large = new('l', 700_000);
        await rig.RedisAsync("SET", large, "x");
        await rig.RedisAsync("SET", new string('o', 2_000_000), "x");
        await rig.RedisAsync("SET", "small", "x");

        await Eventually.TrueAsync("the two that fit", () => rig.Sink.Entries.Count == 2);

        Assert.Equal([large, "small"], rig.Sink.Keys);
        Assert.Equal(1, rig.Feed.Status.Oversized);
        Assert.Equal(GapCause.Oversized, Assert.Single(rig.Gaps.Recent).Cause);
        Assert.Equal(0, rig.Feed.Status.Reconnects);
    }
}
