using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Server;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp.Requests;
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

    /// <summary>Its clock stands still: whatever limits it has of its own, they are not what ends a session.</summary>
    private readonly UpstreamProbe _probe = new(
        new MemoryTransport(async cancel =>
        {
            await Task.Delay(Timeout.Infinite, cancel); // the upstream answers no new connection
            throw new InvalidOperationException();
        }),
        new FakeTimeProvider(), NullLogger.Instance);

    [Fact]
    public async Task The_upstream_closes_while_a_command_waits_for_the_probe()
    {
        MemoryConnection client = new(), upstream = new();
        var session = Session(1, client, upstream);
        await EndsAsync(session, session.RunAsync(), client, upstream);
    }

    [Fact]
    public async Task The_upstream_closes_while_a_command_waits_for_another_sessions_probe()
    {
        MemoryConnection one = new(), client = new(), upstream = new();
        var first = Session(1, one, new MemoryConnection());
        var firstRun = first.RunAsync();
        await one.SendAsync(Request("key_evt_amqp.info"));
        await Eventually.TrueAsync(() => first.Reads == 1, "the first one waits for its probe");
        var session = Session(2, client, upstream);
        await EndsAsync(session, session.RunAsync(), client, upstream);

        Assert.False(firstRun.IsCompleted);
        first.Abort();
        await firstRun.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_malformed_request_waits_for_the_probe_while_the_upstream_closes()
    {
        MemoryConnection client = new(), upstream = new();
        var session = Session(1, client, upstream);
        await EndsAsync(session, session.RunAsync(), client, upstream, "*x\r\n");
    }

    private async Task EndsAsync(ProxySession session, Task run, MemoryConnection client, MemoryConnection upstream, string? request = null)
    {
        await client.SendAsync(request ?? Request("key_evt_amqp.info"));
        await Eventually.TrueAsync(() => session.Reads == 1 && (request is null || session.EndReason != SessionEndReason.None), "it waits for the probe");
        upstream.Finish(); // and its client gets the FIN, and stays silent
        Assert.Equal("", await client.ReadToEndAsync());
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                return client.IsDisposed;
            },
            "it has ended");
        await run.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(request is null ? SessionEndReason.UpstreamClosed : SessionEndReason.ProtocolError, session.EndReason);
    }

    public ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(RespRequest request, CancellationToken cancellationToken) => throw new InvalidOperationException();

    private ProxySession Session(long id, MemoryConnection client, MemoryConnection upstream) => new(id, client, new SessionServices
    {
        Transport = new MemoryTransport(_ => ValueTask.FromResult<IConnection>(upstream)),
        Upstream = new FixedRoute(Place),
        Probe = _probe,
        Intercept = new InterceptorFactory(new Authorization([]), this, translator: null, fanIn: null, NullLogger.Instance).Open,
        Time = _time,
        Logger = NullLogger.Instance,
    });
}
