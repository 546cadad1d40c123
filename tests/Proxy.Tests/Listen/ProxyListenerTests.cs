using System.Diagnostics;
using System.Net.Sockets;
using System.Threading.Channels;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Topology;
using KeyEvt.Forwarder.Topology;
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

/// <summary>Which failures does the accept loop survive, and how?</summary>
public sealed class ProxyListenerTests
{
    private readonly ScriptedListener _listener = new();
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _stop = new();

    [Fact]
    public async Task One_clients_misfortune_is_passed_over()
    {
        var (sessions, running) = Run();
        _listener.Accepts.Writer.TryWrite(new SocketException((int)SocketError.ConnectionAborted));
        _listener.Accepts.Writer.TryWrite(new MemoryConnection());
        await Eventually.TrueAsync(() => sessions.Total == 1, "the next client is accepted");
        await StopAsync(running);
    }

    [Fact]
    public async Task Without_descriptors_it_pauses_and_then_goes_on()
    {
        var (sessions, running) = Run();
        _listener.Accepts.Writer.TryWrite(new SocketException((int)SocketError.TooManyOpenSockets));
        _listener.Accepts.Writer.TryWrite(new SocketException((int)SocketError.NoBufferSpaceAvailable));
        _listener.Accepts.Writer.TryWrite(new MemoryConnection());
        await Eventually.TrueAsync(() => _listener.Calls == 1, "it has tried once");
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.Equal(1, _listener.Calls); // the loop does not spin
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMilliseconds(10)); return sessions.Total == 1; }, "it goes on after its pauses");
        await StopAsync(running);
    }

    [Fact]
    public async Task A_dead_listening_socket_is_a_dead_loop_and_not_a_silent_one()
    {
        var (_, running) = Run();
        _listener.Accepts.Writer.TryWrite(new SocketException((int)SocketError.NotSocket));
        await Assert.ThrowsAsync<SocketException>(() => running);
    }

    [Fact]
    public async Task A_session_is_registered_until_it_has_ended()
    {
        var connecting = new TaskCompletionSource<IConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        var (sessions, running) = Run(new MemoryTransport(_ => new ValueTask<IConnection>(connecting.Task)));
        var client = new MemoryConnection();
        _listener.Accepts.Writer.TryWrite(client);
        await Eventually.TrueAsync(() => sessions.Count == 1, "the session is registered");
        connecting.SetException(new SocketException((int)SocketError.ConnectionRefused));
        await Eventually.TrueAsync(() => sessions.Count == 0, "the session is removed");
        Assert.True(client.IsDisposed);
        await StopAsync(running);
    }

    [Fact]
    public async Task Sessions_that_do_not_end_in_time_are_cut()
    {
        var upstream = new MemoryConnection();
        var (sessions, running) = Run(new MemoryTransport(_ => ValueTask.FromResult<IConnection>(upstream)));
        var client = new MemoryConnection();
        _listener.Accepts.Writer.TryWrite(client);
        await client.SendAsync("PING\r\n");
        await upstream.ExpectAsync("PING\r\n"); // and never answers
        var stopping = sessions.StopAsync(TimeSpan.FromSeconds(5), _time);
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromSeconds(1)); return stopping.IsCompleted; }, "the stop ends at its deadline");
        Assert.Equal(1, await stopping);
        Assert.Equal(0, sessions.Count);
        await StopAsync(running);
    }

    [Fact]
    public async Task While_the_upstream_refuses_nobody_is_let_in_and_all_are_as_soon_as_it_does_not()
    {
        _listener.CanRefuse = true;
        var isThere = false;
        var tries = 0;
        var upstream = new MemoryConnection();
        var (sessions, running) = Run(new MemoryTransport(_ =>
        {
            Interlocked.Increment(ref tries);
            return Volatile.Read(ref isThere) ? ValueTask.FromResult<IConnection>(upstream) : throw new SocketException((int)SocketError.ConnectionRefused);
        }));
        var client = new MemoryConnection();
        _listener.Accepts.Writer.TryWrite(client);
        await Eventually.TrueAsync(() => _listener.IsRefusing, "who comes next is refused");
        Assert.True(client.IsPeerReset);

        _listener.Accepts.Writer.TryWrite(new MemoryConnection());
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMilliseconds(50)); return Volatile.Read(ref tries) > 5; }, "the upstream is tried again and again");
        Assert.Equal((1, true), ((int)sessions.Total, _listener.IsRefusing));
        Volatile.Write(ref isThere, true);
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMilliseconds(50)); return sessions.Total == 2; }, "the next client is let in");
        Assert.False(_listener.IsRefusing);
        await StopAsync(running);
    }

    [Theory]
    [InlineData(SocketError.ConnectionRefused)]
    [InlineData(SocketError.ConnectionReset)] // it goes, or comes, at this very moment
    [InlineData(SocketError.AddressNotAvailable)] // a unix socket, which a restart makes anew
    public async Task An_upstream_that_may_be_back_any_moment_is_tried_every_50_ms(SocketError error)
    {
        _listener.CanRefuse = true;
        var tries = 0;
        var (_, running) = Run(new MemoryTransport(_ =>
        {
            Interlocked.Increment(ref tries);
            throw new SocketException((int)error);
        }));
        _listener.Accepts.Writer.TryWrite(new MemoryConnection());
        await Eventually.TrueAsync(() => Volatile.Read(ref tries) == 2, "it is tried once more, when it has refused a client");
        var advances = 0; // more than one for a try: the pause may begin only now
        var lastTry = Stopwatch.StartNew();
        await Eventually.TrueAsync(
            () =>
            {
                if (advances < 15 && lastTry.Elapsed > TimeSpan.FromSeconds(0.5 * advances))
                {
                    advances++;
                    _time.Advance(TimeSpan.FromMilliseconds(50));
                }

                return Volatile.Read(ref tries) > 2;
            },
            "it is tried again in much less than a second of its clock");
        await StopAsync(running);
    }

    [Fact]
    public async Task An_upstream_that_does_not_answer_refuses_nobody()
    {
        _listener.CanRefuse = true;
        var (sessions, running) = Run(new MemoryTransport(async cancel =>
        {
            await Task.Delay(Timeout.Infinite, cancel);
            throw new InvalidOperationException();
        }));
        var client = new MemoryConnection();
        _listener.Accepts.Writer.TryWrite(client);
        await Eventually.TrueAsync(() => sessions.Count == 1, "the client is let in");
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMilliseconds(500)); return sessions.Count == 0; }, "it is given up"); // its deadline may begin after the first advance
        Assert.True(client.IsPeerReset);
        _listener.Accepts.Writer.TryWrite(new MemoryConnection());
        await Eventually.TrueAsync(() => sessions.Count == 1, "the next one waits likewise");
        Assert.False(_listener.IsRefusing);
        await StopAsync(running);
    }

    [Fact]
    public async Task Behind_Sentinel_clients_wait_for_a_master_and_are_refused_when_that_took_too_long()
    {
        _listener.CanRefuse = true;
        var topology = new FakeTopology(UpstreamShape.Sentinel, FakeTopology.Node("a", 1, NodeRole.Replica));
        var (sessions, running) = Run(new MemoryTransport(_ => ValueTask.FromResult<IConnection>(new MemoryConnection())), TopologyRoute.ToMaster("s", topology, _time));
        var client = new MemoryConnection();
        _listener.Accepts.Writer.TryWrite(client);
        await Eventually.TrueAsync(() => sessions.Count == 1, "the client waits");
        Assert.False(_listener.IsRefusing);
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMilliseconds(500)); return _listener.IsRefusing; }, "who comes next is refused"); // its deadline may begin after the first advance
        Assert.True(client.IsPeerReset);
        topology.Change(FakeTopology.Node("a", 1));
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMilliseconds(50)); return !_listener.IsRefusing; }, "it lets in again");
        await StopAsync(running);
    }

    [Fact]
    public async Task Where_any_master_will_do_it_lets_in_again_as_soon_as_one_of_them_does()
    {
        _listener.CanRefuse = true;
        var isThere = false;
        var tries = 0;
        var topology = new FakeTopology(UpstreamShape.Cluster, FakeTopology.Node("a", 1), FakeTopology.Node("b", 2));
        var transport = new MemoryTransport((address, _) => Interlocked.Increment(ref tries) > 0 && address.Port == 1 && Volatile.Read(ref isThere) ? ValueTask.FromResult<IConnection>(new MemoryConnection()) : throw new SocketException((int)SocketError.ConnectionRefused));
        var (sessions, running) = Run(transport, TopologyRoute.ToAnyMaster("c", topology, _time));
        _listener.Accepts.Writer.TryWrite(new MemoryConnection());
        await Eventually.TrueAsync(() => _listener.IsRefusing, "who comes next is refused, as all masters refuse");
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMilliseconds(50)); return Volatile.Read(ref tries) > 10; }, "they are tried again");
        Volatile.Write(ref isThere, true);
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMilliseconds(50)); return !_listener.IsRefusing; }, "it lets in again");
        _listener.Accepts.Writer.TryWrite(new MemoryConnection());
        await Eventually.TrueAsync(() => sessions.Count == 1, "the next client is served");
        await StopAsync(running);
    }

    [Fact]
    public async Task A_stop_ends_it_also_while_it_refuses()
    {
        _listener.CanRefuse = true;
        var (_, running) = Run();
        _listener.Accepts.Writer.TryWrite(new MemoryConnection());
        await Eventually.TrueAsync(() => _listener.IsRefusing, "who comes next is refused");
        await StopAsync(running);
    }

    private (SessionRegistry Sessions, Task Running) Run(ITransport? transport = null, IUpstreamRoute? route = null)
    {
        var address = TransportAddress.Tcp("upstream", 6379);
        var sessions = new SessionRegistry(new SessionServices
        {
            Transport = transport ?? MemoryTransport.Refusing,
            Upstream = route ?? new FixedRoute(address),
            Probe = new UpstreamProbe(MemoryTransport.Refusing, _time, NullLogger.Instance),
            Time = _time,
            Logger = NullLogger.Instance,
        });
        return (sessions, new ProxyListener(_listener, sessions, _time, NullLogger.Instance).RunAsync(_stop.Token));
    }

    private async Task StopAsync(Task running)
    {
        await _stop.CancelAsync();
        await running;
    }

    /// <summary>Accepts what the test says: a connection or a failure.</summary>
    private sealed class ScriptedListener : IConnectionListener
    {
        private int _calls;

        public Channel<object> Accepts { get; } = Channel.CreateUnbounded<object>();

        public int Calls => Volatile.Read(ref _calls);

        public string Address => "test";

        public bool CanRefuse { get; set; }

        public volatile bool IsRefusing;

        public void Refuse() => IsRefusing = true;

        public void RefuseNoMore() => IsRefusing = false;

        public async ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _calls);
            var next = await Accepts.Reader.ReadAsync(cancellationToken);
            return next is Exception e ? throw e : (IConnection)next;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
