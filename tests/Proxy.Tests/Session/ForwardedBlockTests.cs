using System.Net.Sockets;
using System.Text;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Server;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Epoll;
using KeyEvt.Resp.Requests;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>What happens to blocks that are forwarded as they were received? Over real sockets, since only the epoll transport has such blocks.</summary>
public sealed class ForwardedBlockTests : IAsyncLifetime, ICommandHandler
{
    private readonly EpollTransport _transport = new();
    private readonly Socket _upstreamListener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly CoverageGate _coverage = new("node", TimeSpan.FromSeconds(10), new FakeTimeProvider(), NullLogger.Instance);
    private IConnectionListener _listener = null!;
    private ProxySession _session = null!;
    private Socket _upstream = null!;
    private Task _running = null!;

    public async ValueTask InitializeAsync()
    {
        _deadline.CancelAfter(TimeSpan.FromSeconds(60));
        _upstreamListener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        _upstreamListener.Listen();
        _listener = _transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        await _client.ConnectAsync(System.Net.IPEndPoint.Parse(_listener.Address), _deadline.Token);
        var time = new FakeTimeProvider();
        var upstream = TransportAddress.Tcp("127.0.0.1", ((System.Net.IPEndPoint)_upstreamListener.LocalEndPoint!).Port);
        _session = new ProxySession(1, await _listener.AcceptAsync(_deadline.Token), new SessionServices
        {
            Transport = _transport,
            Upstream = new FixedRoute(upstream),
            Intercept = new InterceptorFactory(new Authorization([]), this, null, null, NullLogger.Instance).Open,
            Probe = new UpstreamProbe(MemoryTransport.Echoing(EchoLine), time, NullLogger.Instance),
            CoverageOf = _ => _coverage,
            Time = time,
            Logger = NullLogger.Instance,
        });
        _running = _session.RunAsync();
        _upstream = await _upstreamListener.AcceptAsync(_deadline.Token);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _upstream.Dispose();
        _session.Abort();
        await _running.WaitAsync(_deadline.Token);
        await _listener.DisposeAsync();
        _upstreamListener.Dispose();
        await _transport.DisposeAsync();
        _deadline.Dispose();
    }

    [Fact]
    public async Task Requests_and_replies_pass_unchanged_in_any_pieces_and_are_counted()
    {
        var stream = string.Concat(Enumerable.Range(0, 200).Select(i => Request("SET", $"key:{i}", new string('v', i * 7)))) + Request("PING");
        for (var i = 0; i < stream.Length;)
        {
            var piece = Math.Min(stream.Length - i, 1 + (i * 31 % 4000));
            await _client.SendAsync(Encoding.Latin1.GetBytes(stream.Substring(i, piece)), _deadline.Token);
            i += piece;
        }

        Assert.Equal(stream, await ReceiveAsync(_upstream, stream.Length));
        await _upstream.SendAsync("+PONG\r\n"u8.ToArray(), _deadline.Token);
        Assert.Equal("+PONG\r\n", await ReceiveAsync(_client, 7));
        Assert.Equal((stream.Length, 7, 201), (_session.Traffic.ToUpstream, _session.Traffic.ToClient, _session.Traffic.Requests));
        Assert.True(_session.Reads > 1);
    }

    [Fact]
    public async Task A_request_that_the_proxy_answers_is_not_forwarded_with_those_around_it()
    {
        await _client.SendAsync(Encoding.Latin1.GetBytes(Request("GET", "a") + Request("key_evt_amqp.info", "secret") + Request("GET", "b")), _deadline.Token);
        var first = Request("GET", "a");
        Assert.Equal(first, await ReceiveAsync(_upstream, first.Length));
        var next = await ReceiveAsync(_upstream, 4);
        Assert.Equal("*1\r\n", next); // a mark: a command without arguments
        Assert.DoesNotContain("secret", await ReceiveAsync(_upstream, 20), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replies_with_a_mark_among_them_are_not_forwarded_as_they_came()
    {
        await _client.SendAsync(Encoding.Latin1.GetBytes(Request("GET", "a") + Request("key_evt_amqp.info")), _deadline.Token);
        await ReceiveAsync(_upstream, Request("GET", "a").Length);
        var first = await ReceiveMarkAsync();
        await ReceiveAsync(_upstream, Request("CONFIG", "GET", "notify-keyspace-events").Length);
        var last = await ReceiveMarkAsync();
        await _upstream.SendAsync(Encoding.Latin1.GetBytes("$1\r\n1\r\n" + EchoLine(first) + ConfigGranted + EchoLine(last)), _deadline.Token);
        Assert.Equal("$1\r\n1\r\n+DONE\r\n", await ReceiveAsync(_client, 14));

        await _upstream.SendAsync("+next\r\n"u8.ToArray(), _deadline.Token);
        Assert.Equal("+next\r\n", await ReceiveAsync(_client, 7));
    }

    [Fact]
    public async Task While_events_are_not_heard_no_block_is_forwarded()
    {
        _coverage.Show(isMissing: true);
        var request = Request("SET", "a", "1");
        await _client.SendAsync(Encoding.Latin1.GetBytes(request), _deadline.Token);
        await Eventually.TrueAsync(() => _coverage.Waits == 1, "the session waits");
        Assert.Equal(0, _upstream.Available);
        _coverage.Show(isMissing: false);
        Assert.Equal(request, await ReceiveAsync(_upstream, request.Length));
    }

    public ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(RespRequest request, CancellationToken cancellationToken) => ValueTask.FromResult<ReadOnlyMemory<byte>>("+DONE\r\n"u8.ToArray());

    private async Task<string> ReceiveMarkAsync()
    {
        const int NameBytes = 51;
        Assert.Equal($"*1\r\n${NameBytes}\r\n", await ReceiveAsync(_upstream, 9));
        return (await ReceiveAsync(_upstream, NameBytes + 2))[..NameBytes];
    }

    private async Task<string> ReceiveAsync(Socket socket, int length)
    {
        var bytes = new byte[length];
        for (var read = 0; read < length;)
        {
            var some = await socket.ReceiveAsync(bytes.AsMemory(read), _deadline.Token);
            Assert.True(some > 0, "the connection was closed");
            read += some;
        }

        return Encoding.Latin1.GetString(bytes);
    }
}
