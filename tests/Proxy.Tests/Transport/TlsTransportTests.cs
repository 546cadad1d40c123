using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Sockets;
using KeyEvt.Proxy.Transport.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Do connections over TLS end as sessions rely on? The same demands as on plain sockets, by either version of TLS.</summary>
public sealed class TlsTransportTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keyevt-tls-");
    private readonly TestAuthority _authority = new();
    private readonly RecordingLogger _logger = new();
    private TlsTransport _transport = null!;
    private IConnectionListener _listener = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private int Port => IPEndPoint.Parse(_listener.Address[TransportAddress.TlsScheme.Length..]).Port;

    public ValueTask InitializeAsync()
    {
        var certificate = _authority.Issue("localhost");
        var client = new TlsClient(new TlsSource(new TlsFiles("--upstream") { Ca = Write("ca", _authority.Pem) }, TimeProvider.System));
        var server = new TlsServer(new TlsSource(new TlsFiles("--tls") { Certificate = Write("cert", certificate.CertificatePem), Key = Write("key", certificate.KeyPem) }, TimeProvider.System), ClientCertificates.No);
        _transport = new TlsTransport(new SocketTransport(), client, server, new SocketSettings(), new HandshakeLimits(Waiting: 32, Handshakes: 8), TimeProvider.System, _logger);
        _listener = _transport.Listen(TransportAddress.Tls("127.0.0.1", 0));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        _authority.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Both_ends_of_the_transport_understand_each_other()
    {
        var connecting = _transport.ConnectAsync(TransportAddress.Tls("localhost", Port), Cancel);
        await using var server = await _listener.AcceptAsync(Cancel);
        await using var client = await connecting;
        await client.Output.WriteAsync("hello"u8.ToArray(), Cancel);
        await client.Output.CompleteAsync();
        Assert.Equal("hello", await ReadToEndAsync(server));
        await server.Output.WriteAsync("and back"u8.ToArray(), Cancel);
        await server.Output.CompleteAsync();
        Assert.Equal("and back", await ReadToEndAsync(client));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Completing_the_output_sends_everything_and_then_the_end_and_the_input_goes_on(bool olderTls)
    {
        await using var ends = await ConnectAsync(olderTls);
        var bytes = new byte[3_000_000];
        Random.Shared.NextBytes(bytes);
        var writing = Task.Run(
            async () =>
            {
                await ends.Connection.Output.WriteAsync(bytes, Cancel);
                await ends.Connection.Output.CompleteAsync();
            },
            Cancel);
        Assert.Equal(bytes, await ReceiveToEndAsync(ends.Peer));
        await writing;
        await ends.Peer.WriteAsync("still here"u8.ToArray(), Cancel);
        await ends.Peer.ShutdownAsync();
        Assert.Equal("still here", await ReadToEndAsync(ends.Connection));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_peers_end_ends_the_input_and_the_output_goes_on(bool olderTls)
    {
        await using var ends = await ConnectAsync(olderTls);
        await ends.Peer.WriteAsync("bye"u8.ToArray(), Cancel);
        await ends.Peer.ShutdownAsync();
        ends.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("bye", await ReadToEndAsync(ends.Connection));
        await ends.Connection.Output.WriteAsync("answer"u8.ToArray(), Cancel);
        await ends.Connection.Output.CompleteAsync();
        Assert.Equal("answer"u8.ToArray(), await ReceiveToEndAsync(ends.Peer));
    }

    [Fact]
    public async Task Disposing_waits_until_a_slow_peer_has_the_last_byte()
    {
        await using var ends = await ConnectAsync();
        var sent = 0;
        while (true)
        {
            var flush = ends.Connection.Output.WriteAsync(new byte[16384], Cancel);
            sent += 16384;
            if (flush.IsCompleted) continue;
            var disposing = Task.Run(
                async () =>
                {
                    await flush;
                    await ends.Connection.DisposeAsync();
                },
                Cancel);
            Assert.Equal(sent, (await ReceiveToEndAsync(ends.Peer)).Length);
            await disposing;
            return;
        }
    }

    [Fact]
    public async Task A_reset_breaks_the_input_and_completes_flushes()
    {
        await using var ends = await ConnectAsync();
        var reading = ends.Connection.Input.ReadAsync(Cancel).AsTask();
        ends.Socket.LingerState = new LingerOption(true, 0);
        ends.Socket.Close();
        await Assert.ThrowsAnyAsync<IOException>(() => reading);
        for (var i = 0; i < 1000; i++)
        {
            ends.Connection.Output.TryWrite(new byte[] { 1 });
            if (!await ends.Connection.Output.TryFlushAsync()) return;
            await Task.Delay(5, Cancel);
        }

        Assert.Fail("no flush said that the peer is gone");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Resetting_the_peer_is_a_reset_of_the_connection_and_no_end_of_TLS(bool olderTls)
    {
        await using var ends = await ConnectAsync(olderTls);
        ends.Connection.ResetPeer();
        await ends.Connection.DisposeAsync();
        var error = await Assert.ThrowsAnyAsync<IOException>(() => ReceiveToEndAsync(ends.Peer));
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
    }

    [Fact]
    public async Task Aborting_wakes_a_pending_read_and_a_pending_flush()
    {
        await using var ends = await ConnectAsync();
        var reading = ends.Connection.Input.ReadAsync(Cancel).AsTask();
        ValueTask<bool> flush;
        do
        {
            ends.Connection.Output.TryWrite(new byte[65536]);
            flush = ends.Connection.Output.TryFlushAsync();
        }
        while (flush.IsCompleted);
        ends.Connection.Abort();
        Assert.False(await flush);
        var end = await Record.ExceptionAsync(async () => Assert.True((await reading).IsCompleted));
        Assert.True(end is null or IOException, $"{end}");
    }

    [Fact]
    public async Task Waking_a_read_loses_no_byte()
    {
        await using var ends = await ConnectAsync();
        for (var i = 0; i < 200; i++)
        {
            var reading = ends.Connection.Input.ReadAsync(Cancel);
            var writing = ends.Peer.WriteAsync(Encoding.ASCII.GetBytes($"{i:000}"), Cancel);
            ends.Connection.Input.CancelPendingRead();
            await writing;
            var read = await reading;
            while (read.Buffer.Length < 3)
            {
                ends.Connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                read = await ends.Connection.Input.ReadAsync(Cancel);
            }

            Assert.Equal($"{i:000}", Encoding.ASCII.GetString(read.Buffer));
            ends.Connection.Input.AdvanceTo(read.Buffer.End);
        }
    }

    [Fact]
    public async Task A_peer_that_never_shakes_hands_does_not_keep_others_from_coming_in()
    {
        using var silent = new TcpClient();
        await silent.ConnectAsync(IPAddress.Loopback, Port, Cancel);
        await using var ends = await ConnectAsync();
        await ends.Peer.WriteAsync("in"u8.ToArray(), Cancel);
        await ends.Peer.ShutdownAsync();
        Assert.Equal("in", await ReadToEndAsync(ends.Connection));
    }

    [Fact]
    public async Task However_many_peers_are_silent_one_that_speaks_comes_in()
    {
        var silent = new List<Socket>();
        for (var i = 0; i < 100; i++)
        {
            silent.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            await silent[i].ConnectAsync(IPAddress.Loopback, Port, Cancel);
            if (i % 2 == 0) await silent[i].SendAsync(new byte[] { 22, 3, 1, 2, 0, 1 }, Cancel); // the first bytes of a ClientHello, and no more
        }

        await using var ends = await ConnectAsync();
        await ends.Peer.WriteAsync("in"u8.ToArray(), Cancel);
        await ends.Peer.ShutdownAsync();
        Assert.Equal("in", await ReadToEndAsync(ends.Connection));
        var end = await Record.ExceptionAsync(async () => Assert.Equal(0, await silent[0].ReceiveAsync(new byte[1], Cancel))); // the eldest has been put out
        Assert.True(end is null or SocketException { SocketErrorCode: SocketError.ConnectionReset }, $"{end}");
        silent.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task More_clients_at_once_than_handshakes_all_come_in()
    {
        // As many as may be silent, since their hellos need a moment; a quarter of them may shake hands at once.
        var connecting = Enumerable.Range(0, 8).Select(_ => _transport.ConnectAsync(TransportAddress.Tls("localhost", Port), Cancel).AsTask()).ToList();
        var connections = new List<IConnection>();
        while (connections.Count < connecting.Count) connections.Add(await _listener.AcceptAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancel));
        connections.AddRange(await Task.WhenAll(connecting));
        foreach (var connection in connections)
        {
            connection.Abort();
            await connection.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_client_hello_that_comes_byte_by_byte_is_as_good_as_a_whole_one()
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, Port, Cancel);
        await using var peer = new SslStream(new SlowlySending(client.Client));
        var accepting = _listener.AcceptAsync(Cancel).AsTask();
        await peer.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = TrustingAuthority() }, Cancel);
        await using var connection = await accepting;
        await connection.Output.WriteAsync("hello"u8.ToArray(), Cancel);
        await connection.Output.CompleteAsync();
        Assert.Equal("hello"u8.ToArray(), await ReceiveToEndAsync(peer));
    }

    [Fact]
    public async Task Who_only_looks_whether_the_port_is_open_is_no_warning()
    {
        for (var i = 0; i < 6; i++)
        {
            using var knocking = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            if (i % 2 == 0) knocking.LingerState = new LingerOption(true, 0); // ends with a reset
            await knocking.ConnectAsync(IPAddress.Loopback, Port, Cancel);
        }

        await using var ends = await ConnectAsync();
        Assert.DoesNotContain(_logger.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_speaks_something_else_gets_the_end_at_once()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port, Cancel);
        var accepting = _listener.AcceptAsync(Cancel).AsTask();
        await client.GetStream().WriteAsync("PING\r\n"u8.ToArray(), Cancel);
        Assert.True(await Record.ExceptionAsync(async () => Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Cancel))) is null or IOException);
        Assert.False(accepting.IsCompleted);
        await _listener.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => accepting);
        Assert.Contains(_logger.Lines, line => line.StartsWith("Warning 1007", StringComparison.Ordinal) && line.Contains("it speaks no TLS", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_name_is_refused_by_the_connecting_side()
    {
        var accepting = _listener.AcceptAsync(Cancel).AsTask();
        var failure = await Assert.ThrowsAsync<TlsFailedException>(async () => await _transport.ConnectAsync(TransportAddress.Tls("127.0.0.1", Port), Cancel));
        Assert.Equal("the certificate is for 'localhost', not for '127.0.0.1': connect by a name it is for, or let it be issued for this one too", failure.Message);
        await _listener.DisposeAsync();
        // With TLS 1.3 the other end may have come in before it was judged; all it gets is the end.
        if (await Record.ExceptionAsync(() => accepting) is null) Assert.Equal("", await ReadToEndAsync(await accepting));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_listener_that_refuses_resets_all_who_are_no_session_yet_and_lets_in_again(bool olderTls)
    {
        Assert.False(_listener.CanRefuse); // its port was chosen by the kernel
        var place = new IPEndPoint(IPAddress.Loopback, FreePorts.Take());
        await using var listener = _transport.Listen(TransportAddress.Tls("127.0.0.1", place.Port));
        Assert.True(listener.CanRefuse);
        for (var round = 0; round < 3; round++)
        {
            // In the order in which they are accepted: when the session is there, those before it are between accept and handshake.
            using var silent = await OpenAsync(place);
            using var halfway = await OpenAsync(place);
            await halfway.SendAsync(new byte[] { 22, 3, 1, 2, 0, 1 }, Cancel);
            using var finished = await OpenAsync(place);
            await using var session = await ConnectAsync(listener, place, olderTls);

            await AcceptAndCancelAsync(listener);
            await using var finishedPeer = await ShakeHandsAsync(finished, olderTls);
            using var early = round == 0 ? await OpenAsync(place) : null; // else nobody has come for the accept that goes on
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await listener.AcceptAsync(new CancellationToken(canceled: true))); // nobody is handed over, though somebody is ready
            listener.Refuse();
            Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>((await Assert.ThrowsAnyAsync<IOException>(() => ReceiveToEndAsync(finishedPeer).WaitAsync(Patience, Cancel))).InnerException).SocketErrorCode);
            foreach (var socket in new[] { silent, halfway, early }.OfType<Socket>())
                Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => socket.ReceiveAsync(new byte[1], Cancel).AsTask().WaitAsync(Patience, Cancel))).SocketErrorCode);

            Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => OpenAsync(place))).SocketErrorCode);
            listener.RefuseNoMore();
            await using var later = await ConnectAsync(listener, place, olderTls);
            Assert.Equal(later.Socket.LocalEndPoint!.ToString(), later.Connection.RemoteName);

            await session.Peer.WriteAsync("still here"u8.ToArray(), Cancel);
            await session.Peer.ShutdownAsync();
            Assert.Equal("still here", await ReadToEndAsync(session.Connection));
        }

        Assert.DoesNotContain(_logger.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal)); // why it refuses is said elsewhere
    }

    [Fact]
    public async Task A_listener_can_be_closed_while_it_refuses()
    {
        var place = new IPEndPoint(IPAddress.Loopback, FreePorts.Take());
        var listener = _transport.Listen(TransportAddress.Tls("127.0.0.1", place.Port));
        await AcceptAndCancelAsync(listener);
        listener.Refuse();
        await listener.DisposeAsync().AsTask().WaitAsync(Patience, Cancel);
        await using var next = _transport.Listen(TransportAddress.Tls("127.0.0.1", place.Port));
        await using var ends = await ConnectAsync(next, place);
    }

    /// <summary>What was begun for it goes on in the listener.</summary>
    private static async Task AcceptAndCancelAsync(IConnectionListener listener)
    {
        using var stop = new CancellationTokenSource();
        var accepting = listener.AcceptAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting.WaitAsync(Patience, Cancel));
    }

    private Task<Ends> ConnectAsync(bool olderTls = false) => ConnectAsync(_listener, new IPEndPoint(IPAddress.Loopback, Port), olderTls);

    private async Task<Ends> ConnectAsync(IConnectionListener listener, IPEndPoint place, bool olderTls = false)
    {
        var socket = await OpenAsync(place);
        var accepting = listener.AcceptAsync(Cancel).AsTask();
        var peer = await ShakeHandsAsync(socket, olderTls);
        return new Ends(await accepting.WaitAsync(Patience, Cancel), peer, socket);
    }

    private static async Task<Socket> OpenAsync(IPEndPoint place)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(place, Cancel);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<SslStream> ShakeHandsAsync(Socket socket, bool olderTls)
    {
        var peer = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await peer.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = TrustingAuthority(), EnabledSslProtocols = olderTls ? System.Security.Authentication.SslProtocols.Tls12 : default }, Cancel);
        return peer;
    }

    private X509ChainPolicy TrustingAuthority()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_authority.Certificate);
        return policy;
    }

    private string Write(string name, string pem)
    {
        var path = Path.Combine(_folder.FullName, name + ".pem");
        File.WriteAllText(path, pem);
        return path;
    }

    private static async Task<string> ReadToEndAsync(IConnection connection)
    {
        while (true)
        {
            var read = await connection.Input.ReadAsync(Cancel);
            if (read.IsCompleted) return Encoding.ASCII.GetString(read.Buffer);
            connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static async Task<byte[]> ReceiveToEndAsync(SslStream peer)
    {
        var all = new MemoryStream();
        await peer.CopyToAsync(all, Cancel);
        return all.ToArray();
    }

    /// <summary>Each byte by itself.</summary>
    private sealed class SlowlySending(Socket socket) : NetworkStream(socket, ownsSocket: false)
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (var i = 0; i < buffer.Length; i++)
            {
                await base.WriteAsync(buffer.Slice(i, 1), cancellationToken);
                await Task.Yield();
            }
        }
    }

    private sealed record Ends(IConnection Connection, SslStream Peer, Socket Socket) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Connection.Abort();
            await Connection.DisposeAsync();
            await Peer.DisposeAsync();
        }
    }
}
