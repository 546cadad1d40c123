using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Who gets in by a handshake, and can those who never finish one keep others out?</summary>
public sealed class TlsHandshakeTests : TlsTransportFixture
{
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
            // These are the first bytes of a ClientHello. No more follow.
            if (i % 2 == 0) await silent[i].SendAsync(new byte[] { 22, 3, 1, 2, 0, 1 }, Cancel);
        }

        await using var ends = await ConnectAsync();
        await ends.Peer.WriteAsync("in"u8.ToArray(), Cancel);
        await ends.Peer.ShutdownAsync();
        Assert.Equal("in", await ReadToEndAsync(ends.Connection));
        // The oldest of the silent peers has been thrown out.
        var end = await Record.ExceptionAsync(async () => Assert.Equal(0, await silent[0].ReceiveAsync(new byte[1], Cancel)));
        Assert.True(end is null or SocketException { SocketErrorCode: SocketError.ConnectionReset }, $"{end}");
        silent.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task More_clients_at_once_than_handshakes_all_come_in()
    {
        // Eight clients come at once, fewer than may be silent at a time. Their first bytes may need a moment.
        var connecting = Enumerable.Range(0, 8).Select(_ => Transport.ConnectAsync(TransportAddress.Tls("localhost", Port), Cancel).AsTask()).ToList();
        var connections = new List<IConnection>();
        while (connections.Count < connecting.Count)
        {
            connections.Add(await Listener.AcceptAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancel));
        }

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
        var accepting = Listener.AcceptAsync(Cancel).AsTask();
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
            // Closing this socket resets the connection.
            if (i % 2 == 0) knocking.LingerState = new LingerOption(true, 0);
            await knocking.ConnectAsync(IPAddress.Loopback, Port, Cancel);
        }

        await using var ends = await ConnectAsync();
        Assert.DoesNotContain(Logger.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_speaks_something_else_gets_the_end_at_once()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port, Cancel);
        var accepting = Listener.AcceptAsync(Cancel).AsTask();
        await client.GetStream().WriteAsync("PING\r\n"u8.ToArray(), Cancel);
        Assert.True(await Record.ExceptionAsync(async () => Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Cancel))) is null or IOException);
        Assert.False(accepting.IsCompleted);
        await Listener.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => accepting);
        Assert.Contains(Logger.Lines, line => line.StartsWith("Warning 1007", StringComparison.Ordinal) && line.Contains("it speaks no TLS", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_name_is_refused_by_the_connecting_side()
    {
        var accepting = Listener.AcceptAsync(Cancel).AsTask();
        var failure = await Assert.ThrowsAsync<TlsFailedException>(async () => await Transport.ConnectAsync(TransportAddress.Tls("127.0.0.1", Port), Cancel));
        Assert.Equal("the certificate is for 'localhost', not for '127.0.0.1': connect by a name it is for, or let it be issued for this one too", failure.Message);
        await Listener.DisposeAsync();
        // With TLS 1.3 the listener may hand over the connection before the client has judged the certificate. Then it only sees the end.
        if (await Record.ExceptionAsync(() => accepting) is null) Assert.Equal("", await ReadToEndAsync(await accepting));
    }

    /// <summary>Sends each byte by itself.</summary>
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
}
