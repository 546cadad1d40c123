using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Does a TLS listener refuse clients, and let them in again, as one on plain sockets does?</summary>
public sealed class TlsListenerTests : TlsTransportFixture
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_listener_that_refuses_resets_all_who_are_no_session_yet_and_lets_in_again(bool olderTls)
    {
        // The kernel chose the port, so it could not be taken again after a refusal.
        Assert.False(Listener.CanRefuse);
        var place = new IPEndPoint(IPAddress.Loopback, FreePorts.Take());
        await using var listener = Transport.Listen(TransportAddress.Tls("127.0.0.1", place.Port));
        Assert.True(listener.CanRefuse);
        for (var round = 0; round < 3; round++)
        {
            // They are accepted in this order. When the session is there, the three before it are accepted and have not finished their handshake.
            using var silent = await OpenAsync(place);
            using var halfway = await OpenAsync(place);
            await halfway.SendAsync(new byte[] { 22, 3, 1, 2, 0, 1 }, Cancel);
            using var finished = await OpenAsync(place);
            await using var session = await ConnectAsync(listener, place, olderTls);

            await AcceptAndCancelAsync(listener);
            await using var finishedPeer = await ShakeHandsAsync(finished, olderTls);
            // In the other rounds no client has come for the accept that goes on.
            using var early = round == 0 ? await OpenAsync(place) : null;
            // A cancelled accept hands over no client, although one is ready.
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await listener.AcceptAsync(new CancellationToken(canceled: true)));
            listener.Refuse();
            Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>((await Assert.ThrowsAnyAsync<IOException>(() => ReceiveToEndAsync(finishedPeer).WaitAsync(Patience, Cancel))).InnerException).SocketErrorCode);
            foreach (var socket in new[] { silent, halfway, early }.OfType<Socket>())
            {
                Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => socket.ReceiveAsync(new byte[1], Cancel).AsTask().WaitAsync(Patience, Cancel))).SocketErrorCode);
            }

            Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => OpenAsync(place))).SocketErrorCode);
            listener.RefuseNoMore();
            await using var later = await ConnectAsync(listener, place, olderTls);
            Assert.Equal(later.Socket.LocalEndPoint!.ToString(), later.Connection.RemoteName);

            await session.Peer.WriteAsync("still here"u8.ToArray(), Cancel);
            await session.Peer.ShutdownAsync();
            Assert.Equal("still here", await ReadToEndAsync(session.Connection));
        }

        // The reason for the refusal is logged elsewhere.
        Assert.DoesNotContain(Logger.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_listener_can_be_closed_while_it_refuses()
    {
        var place = new IPEndPoint(IPAddress.Loopback, FreePorts.Take());
        var listener = Transport.Listen(TransportAddress.Tls("127.0.0.1", place.Port));
        await AcceptAndCancelAsync(listener);
        listener.Refuse();
        await listener.DisposeAsync().AsTask().WaitAsync(Patience, Cancel);
        await using var next = Transport.Listen(TransportAddress.Tls("127.0.0.1", place.Port));
        await using var ends = await ConnectAsync(next, place);
    }

    /// <summary>Begins an accept and cancels it. The listener goes on with what it began.</summary>
    private static async Task AcceptAndCancelAsync(IConnectionListener listener)
    {
        using var stop = new CancellationTokenSource();
        var accepting = listener.AcceptAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting.WaitAsync(Patience, Cancel));
    }
}
