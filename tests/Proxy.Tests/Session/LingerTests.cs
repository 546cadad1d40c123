using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>Does a session end after its linger time, whatever its request pump was waiting for when that was over?</summary>
public sealed class LingerTests : ICommandHandler
{
    private static readonly TransportAddress Place = TransportAddress.Tcp("upstream", 6379);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task The_linger_time_is_over_while_the_pump_waits_for_another_sessions_probe()
    {
        var probes = 0;
        var echoing = MemoryTransport.Echoing(EchoLine);
        var probe = new UpstreamProbe(
            new MemoryTransport(async cancel =>
            {
                if (Interlocked.Increment(ref probes) == 1) return await echoing.ConnectAsync(Place, cancel);
                await Task.Delay(Timeout.Infinite, cancel); // from then on the upstream answers no new connection
                throw new InvalidOperationException();
            }),
            _time, NullLogger.Instance);
        Assert.NotNull((await probe.LearnAsync(Place, _time.GetTimestamp(), TestContext.Current.CancellationToken)).Shape);
        _time.Advance(TimeSpan.FromSeconds(10)); // the sessions to come are younger than what was learned

        MemoryConnection one = new(), oneUpstream = new(), client = new(), upstream = new();
        var first = Session(1, one, oneUpstream, probe);
        var firstRun = first.RunAsync();
        await one.SendAsync(Request("key_evt_amqp.info"));
        await Eventually.TrueAsync(() => Volatile.Read(ref probes) == 2, "the first one's probe runs");

        var session = Session(2, client, upstream, probe);
        var run = session.RunAsync();
        await client.SendAsync(Request("key_evt_amqp.info"));
        await Eventually.TrueAsync(() => session.Reads == 1, "the second one waits for that probe");
        upstream.Finish(); // its upstream closes; its client gets the FIN, and stays silent
        Assert.Equal("", await client.ReadToEndAsync());
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                return client.IsDisposed;
            },
            "it has ended");
        await run.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(SessionEndReason.UpstreamClosed, session.EndReason);

        first.Abort();
        await firstRun.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    public ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(KeyEvt.Resp.RespRequest request, CancellationToken cancellationToken) => throw new InvalidOperationException();

    private ProxySession Session(long id, MemoryConnection client, MemoryConnection upstream, UpstreamProbe probe) => new(id, client, new SessionServices
    {
        Transport = new MemoryTransport(_ => ValueTask.FromResult<IConnection>(upstream)),
        Upstream = new FixedRoute(Place),
        Probe = probe,
        Authorization = new Authorization([]),
        Commands = this,
        Time = _time,
        Logger = NullLogger.Instance,
    });
}
