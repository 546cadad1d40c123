using System.Net.Sockets;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Tests.Topology;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Tests.Session;
using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Route;

/// <summary>Where do sessions go, and when do they end, as the nodes change?</summary>
public sealed class TopologyRouteTests
{
    private readonly FakeTopology _sentinel = new(UpstreamShape.Sentinel, FakeTopology.Node("a", 1), FakeTopology.Node("b", 2, NodeRole.Replica));

    [Fact]
    public async Task A_session_goes_to_the_master_of_the_moment()
    {
        var route = TopologyRoute.ToMaster("s", _sentinel);
        Assert.Equal(1, (await route.FindAsync(null, TestContext.Current.CancellationToken)).Address.Port);
        _sentinel.Change(FakeTopology.Node("a", 1, NodeRole.Replica), FakeTopology.Node("b", 2));
        Assert.Equal(2, (await route.FindAsync(null, TestContext.Current.CancellationToken)).Address.Port);
    }

    [Fact]
    public async Task A_connect_waits_for_a_master_and_for_another_than_the_one_that_failed()
    {
        _sentinel.Change();
        var route = TopologyRoute.ToMaster("s", _sentinel);
        var finding = route.FindAsync(null, TestContext.Current.CancellationToken).AsTask();
        Assert.False(finding.IsCompleted);
        _sentinel.Change(FakeTopology.Node("a", 1));
        var failed = await finding.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        var other = route.FindAsync(failed, TestContext.Current.CancellationToken).AsTask();
        Assert.False(other.IsCompleted);
        _sentinel.Change(FakeTopology.Node("b", 2));
        Assert.Equal(2, (await other.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken)).Address.Port);
    }

    [Fact]
    public async Task At_a_switch_the_sessions_of_the_old_master_get_what_has_come_and_then_the_end()
    {
        var route = TopologyRoute.ToMaster("s", _sentinel);
        await using var session = new SessionUnderTest(route: route);
        await session.Client.SendAsync("PING\r\n");
        await session.Upstream.ExpectAsync("PING\r\n");
        await session.Upstream.SendAsync("+PONG\r\n");
        await session.Client.ExpectAsync("+PONG\r\n");

        using var stop = new CancellationTokenSource();
        var following = route.FollowAsync(stop.Token);
        _sentinel.Change(FakeTopology.Node("b", 2));
        Assert.Equal("", await session.Client.ReadToEndAsync());
        Assert.Equal(SessionEndReason.UpstreamMoved, session.Session.EndReason);
        session.Client.Finish();
        await session.EndedAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    [Fact]
    public async Task While_no_master_is_known_sessions_of_the_last_one_go_on()
    {
        var route = TopologyRoute.ToMaster("s", _sentinel);
        var place = await route.FindAsync(null, TestContext.Current.CancellationToken);
        _sentinel.Change();
        var waiting = route.FindAsync(null, TestContext.Current.CancellationToken).AsTask();
        Assert.False(place.Over.IsCancellationRequested);
        _sentinel.Change(FakeTopology.Node("a", 1));
        Assert.Same(place, await waiting.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Without_a_master_until_the_deadline_the_client_is_told_so()
    {
        _sentinel.Change();
        await using var session = new SessionUnderTest(route: TopologyRoute.ToMaster("redis+sentinel://s/mymaster", _sentinel));
        session.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("-ERR keyevt: upstream redis+sentinel://s/mymaster cannot be reached: no master is known within 5 s\r\n", await session.Client.ReadToEndAsync());
        session.Client.Finish();
        await session.EndedAsync();
    }

    [Fact]
    public async Task A_master_that_refuses_is_hinted_at_and_the_next_one_is_taken()
    {
        var upstream = new MemoryConnection();
        var tries = 0;
        var transport = new MemoryTransport(_ => ++tries == 1 ? throw new SocketException((int)SocketError.ConnectionRefused) : ValueTask.FromResult<IConnection>(upstream));
        _sentinel.OnHint = () => _sentinel.Change(FakeTopology.Node("b", 2));
        await using var session = new SessionUnderTest(transport: transport, route: TopologyRoute.ToMaster("s", _sentinel));
        await session.Client.SendAsync("PING\r\n");
        await upstream.ExpectAsync("PING\r\n");
        Assert.Single(_sentinel.Hints);
    }

    [Fact]
    public async Task A_lost_upstream_is_a_hint()
    {
        await using var session = new SessionUnderTest(route: TopologyRoute.ToMaster("s", _sentinel));
        await session.Client.SendAsync("PING\r\n");
        await session.Upstream.ExpectAsync("PING\r\n");
        session.Upstream.Finish();
        Assert.Equal("", await session.Client.ReadToEndAsync());
        session.Client.Finish();
        await session.EndedAsync();
        Assert.Single(_sentinel.Hints);
    }

    [Fact]
    public async Task The_door_to_any_master_keeps_its_node_as_long_as_that_serves_and_ends_no_session()
    {
        var cluster = new FakeTopology(UpstreamShape.Cluster, FakeTopology.Node("a", 1), FakeTopology.Node("b", 2));
        var route = TopologyRoute.ToAnyMaster("c", cluster);
        var first = await route.FindAsync(null, TestContext.Current.CancellationToken);
        cluster.Change(FakeTopology.Node("c", 3), FakeTopology.Node("a", 1));
        Assert.Same(first, await route.FindAsync(null, TestContext.Current.CancellationToken));
        cluster.Change(FakeTopology.Node("a", 1, NodeRole.Replica), FakeTopology.Node("b", 2, failing: true), FakeTopology.Node("c", 3));
        Assert.Equal(3, (await route.FindAsync(null, TestContext.Current.CancellationToken)).Address.Port);
        Assert.False(first.Over.IsCancellationRequested);
    }
}
