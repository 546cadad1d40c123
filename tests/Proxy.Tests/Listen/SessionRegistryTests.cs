using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Tests.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Listen;

/// <summary>How many clients are let in, and which are sent away for their silence?</summary>
public sealed class SessionRegistryTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<MemoryConnection> _upstreams = [];

    [Fact]
    public async Task Beyond_the_limit_a_client_gets_redis_own_error_and_the_end()
    {
        var sessions = Registry(maxClients: 2);
        MemoryConnection first = new(), second = new(), third = new();
        sessions.Start(first);
        sessions.Start(second);
        sessions.Start(third);
        Assert.Equal("-ERR max number of clients reached\r\n", await third.ReadToEndAsync());
        third.Finish();
        await Eventually.TrueAsync(() => third.IsDisposed, "the third is closed");
        Assert.Equal(2, sessions.Count);
        Assert.Equal(1, sessions.Refused);
        Assert.Equal(2, sessions.Total);
        await first.SendAsync("PING\r\n");
        await _upstreams[0].ExpectAsync("PING\r\n");
    }

    [Fact]
    public async Task A_place_that_becomes_free_is_taken()
    {
        var sessions = Registry(maxClients: 1);
        var first = new MemoryConnection();
        sessions.Start(first);
        first.Reset();
        await Eventually.TrueAsync(() => sessions.Count == 0, "the first has left");
        var second = new MemoryConnection();
        sessions.Start(second);
        await second.SendAsync("PING\r\n");
        await _upstreams[^1].ExpectAsync("PING\r\n");
    }

    [Fact]
    public async Task A_refused_client_that_does_not_read_or_close_is_cut()
    {
        var sessions = Registry(maxClients: 0);
        var client = new MemoryConnection();
        sessions.Start(client);
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromSeconds(1)); return client.IsDisposed; }, "it is cut");
        Assert.True(client.IsAborted);
    }

    [Fact]
    public async Task A_silent_session_ends_and_one_with_requests_or_replies_does_not()
    {
        var sessions = Registry();
        MemoryConnection silent = new(), asking = new(), listening = new();
        sessions.Start(silent);
        sessions.Start(asking);
        sessions.Start(listening);
        using var stop = new CancellationTokenSource();
        var closing = sessions.CloseIdleAsync(TimeSpan.FromSeconds(10), _time, stop.Token);
        for (var second = 0; second < 9; second++) await PassASecondAsync(asking, listening);
        Assert.Equal(3, sessions.Count);
        // On a busy machine the looks come later than the seconds.
        for (var second = 0; sessions.Count == 3; second++)
        {
            Assert.True(second < 5_000, "the silent one has not ended");
            await PassASecondAsync(asking, listening);
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.Equal(2, sessions.Count);
        Assert.True(silent.IsAborted);
        Assert.False(asking.IsAborted || listening.IsAborted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => closing);
    }

    [Fact]
    public async Task The_stop_waits_for_no_session_that_does_not_end_though_it_was_cut()
    {
        var sessions = Registry();
        var stuck = new StuckConnection();
        var other = new MemoryConnection();
        sessions.Start(stuck);
        sessions.Start(other);
        await Eventually.TrueAsync(() => _upstreams.Count == 2, "both are connected");
        var stop = sessions.StopAsync(TimeSpan.FromSeconds(3), _time);
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromSeconds(0.5)); return stop.IsCompleted; }, "the stop is over");
        Assert.InRange(await stop, 1, 2);
        await Eventually.TrueAsync(() => other.IsDisposed && sessions.Count == 1, "the other one has ended");
        stuck.LetGo();
        await Eventually.TrueAsync(() => sessions.Count == 0, "all have ended");
    }

    private async Task PassASecondAsync(MemoryConnection asking, MemoryConnection listening)
    {
        await asking.SendAsync("PING\r\n");
        await _upstreams[2].SendAsync("+message\r\n");
        await _upstreams[1].ExpectAsync("PING\r\n");
        await listening.ExpectAsync("+message\r\n");
        for (var i = 0; i < 2; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(0.5));
            await Task.Yield();
        }
    }

    private SessionRegistry Registry(int maxClients = int.MaxValue)
    {
        var address = TransportAddress.Tcp("upstream", 6379);
        var transport = new MemoryTransport(_ =>
        {
            _upstreams.Add(new MemoryConnection());
            return ValueTask.FromResult<IConnection>(_upstreams[^1]);
        });
        return new SessionRegistry(
            new SessionServices
            {
                Transport = transport,
                Upstream = new FixedRoute(address),
                Probe = new UpstreamProbe(MemoryTransport.Refusing, _time, NullLogger.Instance),
                Time = _time,
                Logger = NullLogger.Instance,
            },
            maxClients);
    }
}
