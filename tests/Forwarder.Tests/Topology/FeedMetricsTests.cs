using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Tests.Metrics;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>How is a node called in the metrics?</summary>
public sealed class FeedMetricsTests
{
    [Theory]
    [InlineData("redis://watcher:secret@10.0.0.1:6390", "10.0.0.1:6390")]
    [InlineData("redis://[::1]", "[::1]:6379")]
    [InlineData("unix:/run/redis.sock", "unix:/run/redis.sock")]
    public async Task A_node_without_an_id_of_its_own_is_called_by_its_place_and_not_by_its_login(string upstream, string expected)
    {
        var address = RedisAddress.Parse(upstream);
        var topology = new FakeTopology(UpstreamShape.Standalone, new TopologyNode { Id = address.ToString(), Address = address, Role = NodeRole.Unknown });
        var gaps = new GapLog();
        await using var feeds = new FeedSet(topology, new NodeFeedOptions(), new RecordingSink(), gaps, TimeProvider.System, NullLogger.Instance, new SocketRedisTransport(TimeProvider.System), new GroupOfOne().Membership);
        using var meter = new Meter("test");
        _ = new FeedMetrics(meter, feeds, topology, () => null, gaps, TimeProvider.System);
        var seen = new MeterReader(meter);
        Assert.Equal(0, seen.Read("keyevt.feed.subscribed", ("node", expected)));
        Assert.Equal(0, seen.Read("keyevt.feed.gaps", ("node", expected)));
        Assert.Null(seen.Read("keyevt.feed.lag", ("node", expected)));
    }
}
