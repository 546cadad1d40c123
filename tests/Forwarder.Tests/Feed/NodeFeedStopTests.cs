using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What does a feed still read before it ends?</summary>
public sealed class NodeFeedStopTests
{
    [Fact]
    [Trait("Needs", "servers")]
    public async Task Events_of_commands_that_Redis_has_acknowledged_are_read_before_the_end()
    {
        await using var server = await RedisServer.StartAsync();
        await using var relay = new Relay(server.Port);
        var sink = new RecordingSink();
        var feed = Start(relay.Port, sink);
        await SubscribedAsync(feed);
        relay.Delay = TimeSpan.FromMilliseconds(200); // what Redis says is on its way for so long
        await server.CallAsync("SET", "acknowledged", "1");

        await feed.CatchUpAsync(TimeSpan.FromSeconds(10));
        await feed.DisposeAsync();
        Assert.Equal(["acknowledged"], sink.Keys);
    }

    [Fact]
    [Trait("Needs", "servers")]
    public async Task A_silent_node_is_waited_for_no_longer_than_allowed()
    {
        await using var server = await RedisServer.StartAsync();
        var feed = Start(server.Port, new RecordingSink());
        await SubscribedAsync(feed);
        server.Freeze();
        var catching = feed.CatchUpAsync(TimeSpan.FromMilliseconds(200));
        await catching.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        await feed.DisposeAsync();
        server.Thaw();
    }

    [Fact]
    public async Task Without_a_connection_there_is_nothing_to_wait_for()
    {
        var feed = Start(FreePorts.Take(), new RecordingSink());
        await feed.CatchUpAsync(TimeSpan.FromMinutes(1)).WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        await feed.DisposeAsync();
    }

    private static NodeFeed Start(int port, RecordingSink sink)
    {
        var feed = new NodeFeed(RedisAddress.Parse($"redis://127.0.0.1:{port}"), new NodeFeedOptions(), sink, new GapLog(), TimeProvider.System, NullLogger.Instance, new GroupOfOne().Membership);
        feed.Want(EventClass.All);
        feed.Start();
        return feed;
    }

    private static async Task SubscribedAsync(NodeFeed feed)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        await feed.WaitSubscribedAsync(deadline.Token);
        await Eventually.TrueAsync("the office", () => feed.GroupStatus.IsHolder);
    }
}
