using System.Net.Sockets;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Topology;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Tests.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Route;

/// <summary>Where do sessions go, and when do they end, as the nodes change?</summary>
public sealed class TopologyRouteTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeTopology _sentinel = new(UpstreamShape.Sentinel, FakeTopology.Node("a", 1), FakeTopology.Node("b", 2, NodeRole.Replica));

    [Fact]
    public async Task A_session_goes_to_the_master_of_the_moment()
    {
        var route = TopologyRoute.ToMaster("s", _sentinel, _time);
        Assert.Equal(1, (await FindAsync(route))!.Address.Port);
        _sentinel.Change(FakeTopology.Node("a", 1, NodeRole.Replica), FakeTopology.Node("b", 2));
        Assert.Equal(2, (await FindAsync(route))!.Address.Port);
    }

    [Fact]
    public async Task A_connect_waits_until_something_is_known_of_the_nodes_and_for_nothing_else()
    {
        _sentinel.Change();
        var route = TopologyRoute.ToMaster("s", _sentinel, _time);
        var finding = FindAsync(route);
        Assert.False(finding.IsCompleted);
        _sentinel.Change(FakeTopology.Node("a", 1));
        var failed = await finding;
        Assert.NotNull(failed);
        Assert.Null(await FindAsync(route, failed));
        _sentinel.Change(FakeTopology.Node("b", 2));
        Assert.Equal(2, (await FindAsync(route, failed))!.Address.Port);
        _sentinel.Change(FakeTopology.Node("a", 1, NodeRole.Replica));
        Assert.Null(await FindAsync(route));
    }

    [Fact]
    public async Task At_a_switch_the_sessions_of_the_old_master_get_what_has_come_and_then_the_end()
    {
        var route = TopologyRoute.ToMaster("s", _sentinel, _time);
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
        var route = TopologyRoute.ToMaster("s", _sentinel, _time);
        var place = (await FindAsync(route))!;
        _sentinel.Change();
        var waiting = FindAsync(route);
        Assert.False(place.Over.IsCancellationRequested);
        _sentinel.Change(FakeTopology.Node("a", 1));
        Assert.Same(place, await waiting);
    }

    [Fact]
    public async Task Without_a_master_until_the_deadline_the_client_is_reset()
    {
        _sentinel.Change(FakeTopology.Node("a", 1, NodeRole.Replica));
        await using var session = new SessionUnderTest(route: TopologyRoute.ToMaster("redis+sentinel://s/mymaster", _sentinel, _time));
        session.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(session.Client.IsPeerReset);
        session.Time.Advance(TimeSpan.FromSeconds(0.2));
        await session.EndedAsync();
        Assert.True(session.Client.IsPeerReset);
        Assert.Equal("", session.Client.Peek());
    }

    [Fact]
    public async Task Behind_Sentinel_a_client_waits_also_for_the_same_master_which_is_tried_again()
    {
        var upstream = new MemoryConnection();
        var tries = 0;
        var transport = new MemoryTransport(_ => Interlocked.Increment(ref tries) <= 3 ? throw new SocketException((int)SocketError.ConnectionRefused) : ValueTask.FromResult<IConnection>(upstream));
        await using var session = new SessionUnderTest(transport: transport, route: TopologyRoute.ToMaster("s", _sentinel, _time));
        await session.Client.SendAsync("PING\r\n");
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMilliseconds(250)); return Volatile.Read(ref tries) == 4; }, "it is tried again");
        await upstream.ExpectAsync("PING\r\n");
    }

    [Fact]
    public async Task While_nothing_is_known_at_all_the_client_is_reset_at_the_deadline()
    {
        _sentinel.Change();
        await using var session = new SessionUnderTest(route: TopologyRoute.ToMaster("redis+sentinel://s/mymaster", _sentinel, _time));
        Assert.False(session.Client.IsPeerReset);
        session.Time.Advance(TimeSpan.FromSeconds(5.1));
        await session.EndedAsync();
        Assert.True(session.Client.IsPeerReset);
    }

    [Fact]
    public async Task A_master_that_refuses_is_hinted_at_and_the_next_one_is_taken()
    {
        var upstream = new MemoryConnection();
        var tries = 0;
        var transport = new MemoryTransport(_ => ++tries == 1 ? throw new SocketException((int)SocketError.ConnectionRefused) : ValueTask.FromResult<IConnection>(upstream));
        _sentinel.OnHint = () => _sentinel.Change(FakeTopology.Node("b", 2));
        await using var session = new SessionUnderTest(transport: transport, route: TopologyRoute.ToMaster("s", _sentinel, _time));
        await session.Client.SendAsync("PING\r\n");
        await upstream.ExpectAsync("PING\r\n");
        Assert.Single(_sentinel.Hints);
    }

    [Fact]
    public async Task A_lost_upstream_is_a_hint_and_many_at_once_are_one()
    {
        var route = TopologyRoute.ToMaster("s", _sentinel, _time);
        await using var session = new SessionUnderTest(route: route);
        await session.Client.SendAsync("PING\r\n");
        await session.Upstream.ExpectAsync("PING\r\n");
        session.Upstream.Finish();
        Assert.Equal("", await session.Client.ReadToEndAsync());
        session.Client.Finish();
        await session.EndedAsync();
        Assert.Single(_sentinel.Hints);

        var place = (await FindAsync(route))!;
        _time.Advance(TimeSpan.FromMilliseconds(99));
        route.Lost(place);
        Assert.Single(_sentinel.Hints);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        route.Lost(place);
        Assert.Equal(2, _sentinel.Hints.Count);
    }

    [Fact]
    public async Task The_node_port_of_a_node_that_refuses_refuses_whatever_is_to_come()
    {
        var cluster = new FakeTopology(UpstreamShape.Cluster, FakeTopology.Node("a", 1), FakeTopology.Node("b", 2));
        await using var session = new SessionUnderTest(transport: MemoryTransport.Refusing, route: TopologyRoute.ToNode("a", "a", cluster, _time));
        await session.EndedAsync();
        Assert.True(session.Client.IsPeerReset);
        Assert.Single(cluster.Hints);
    }

    [Fact]
    public async Task The_node_port_to_any_master_keeps_its_node_as_long_as_that_serves_and_ends_no_session()
    {
        var cluster = new FakeTopology(UpstreamShape.Cluster, FakeTopology.Node("a", 1), FakeTopology.Node("b", 2));
        var route = TopologyRoute.ToAnyMaster("c", cluster, _time);
        var first = (await FindAsync(route))!;
        cluster.Change(FakeTopology.Node("c", 3), FakeTopology.Node("a", 1));
        Assert.Same(first, await FindAsync(route));
        cluster.Change(FakeTopology.Node("a", 1, NodeRole.Replica), FakeTopology.Node("b", 2, failing: true), FakeTopology.Node("c", 3));
        Assert.Equal(3, (await FindAsync(route))!.Address.Port);
        Assert.False(first.Over.IsCancellationRequested);
    }

    [Fact]
    public async Task Where_any_master_will_do_one_that_refuses_is_passed_over_until_all_have()
    {
        var cluster = new FakeTopology(UpstreamShape.Cluster, FakeTopology.Node("a", 1), FakeTopology.Node("b", 2), FakeTopology.Node("c", 3, NodeRole.Replica));
        var route = TopologyRoute.ToAnyMaster("c", cluster, _time);
        var one = (await FindAsync(route))!;
        var two = (await FindAsync(route, one))!;
        Assert.Equal([1, 2], [one.Address.Port, two.Address.Port]);
        Assert.Same(two, await FindAsync(route)); // whoever comes next need not try the first one
        Assert.Null(await FindAsync(route, one, two));
    }

    private static Task<UpstreamPlace?> FindAsync(TopologyRoute route, params UpstreamPlace[] failed) =>
        route.FindAsync(failed, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
}
