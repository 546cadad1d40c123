using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder.Net;
using KeyEvt.Proxy.Transport;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Do listening, accepting and connecting work, and end when they are told? The same over every transport.</summary>
public abstract class TransportConnectTests : TransportFixture
{
    private protected TransportConnectTests(Func<HappyEyeballs, ITransport> create)
        : base(create)
    {
    }

    [Fact]
    public async Task A_listener_that_refuses_keeps_its_port_and_its_connections_and_lets_in_again()
    {
        // The kernel chose the port, so it could not be taken again after a refusal.
        Assert.False(Listener.CanRefuse);
        var place = new IPEndPoint(IPAddress.Loopback, FreePorts.Take());
        await using var listener = Transport.Listen(TransportAddress.Tcp("127.0.0.1", place.Port));
        Assert.True(listener.CanRefuse);
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(place, Cancel);
        await using var connection = await listener.AcceptAsync(Cancel);
        for (var round = 0; round < 3; round++)
        {
            using (var stop = new CancellationTokenSource())
            {
                var accepting = listener.AcceptAsync(stop.Token).AsTask();
                await stop.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
            }

            using var early = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await early.ConnectAsync(place, Cancel);
            listener.Refuse();
            Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(async () => await early.ReceiveAsync(new byte[1], Cancel))).SocketErrorCode);

            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(async () => await client.ConnectAsync(place, Cancel))).SocketErrorCode);
            using (var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
            {
                other.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => other.Bind(place)).SocketErrorCode);
            }

            listener.RefuseNoMore();
            using var later = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await later.ConnectAsync(place, Cancel);
            await using var accepted = await listener.AcceptAsync(Cancel);
            Assert.Equal(later.LocalEndPoint!.ToString(), accepted.RemoteName);
            accepted.Abort();
        }

        await peer.SendAsync("still here"u8.ToArray(), Cancel);
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal("still here", await ReadToEndAsync(connection));
        connection.Abort();
    }

    [Fact]
    public async Task Accepting_ends_when_it_is_cancelled_and_goes_on_when_called_again()
    {
        using var stop = new CancellationTokenSource();
        var accepting = Listener.AcceptAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
        using var next = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var again = Listener.AcceptAsync(Cancel);
        await next.ConnectAsync(IPEndPoint.Parse(Listener.Address), Cancel);
        await using var accepted = await again;
        Assert.Equal(next.LocalEndPoint!.ToString(), accepted.RemoteName);
        accepted.Abort();
    }

    [Fact]
    public async Task A_stale_unix_socket_file_is_replaced_and_a_living_one_is_not()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(UnixPath + "~"));
            // The file is renamed, since the runtime would remove it under its own name.
            File.Move(UnixPath + "~", UnixPath);
        }

        Assert.True(File.Exists(UnixPath));
        var address = TransportAddress.Unix(UnixPath);
        await using (Transport.Listen(address))
        {
            Assert.Throws<SocketPathException>(() => Transport.Listen(address));
            await using var client = await Transport.ConnectAsync(address, Cancel);
            client.Abort();
        }

        Assert.False(File.Exists(UnixPath));
    }

    [Fact]
    public async Task A_name_is_resolved_and_a_refusal_is_an_exception()
    {
        var port = IPEndPoint.Parse(Listener.Address).Port;
        await using (var byName = await Transport.ConnectAsync(TransportAddress.Tcp("localhost", port), Cancel)) byName.Abort();
        await Listener.DisposeAsync();
        await Assert.ThrowsAsync<SocketException>(async () => await Transport.ConnectAsync(TransportAddress.Tcp("127.0.0.1", port), Cancel));
    }

    [Fact]
    public async Task An_address_that_swallows_connects_does_not_keep_a_name_from_being_reached()
    {
        await using var hole = await BlackHole.OpenAsync(IPAddress.Parse("127.0.0.2"));
        await using var listener = Transport.Listen(TransportAddress.Tcp("127.0.0.3", hole.Port));
        // The first address is silent, the second refuses, and the third is alive.
        Addresses = [IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.4"), IPAddress.Parse("127.0.0.3")];
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var connection = await Transport.ConnectAsync(TransportAddress.Tcp("redis.example", hole.Port), deadline.Token);
        await using var accepted = await listener.AcceptAsync(Cancel);
        await connection.Output.WriteAsync("hello"u8.ToArray(), Cancel);
        await connection.Output.CompleteAsync();
        Assert.Equal("hello", await ReadToEndAsync(accepted));
        accepted.Abort();
    }

    [Fact]
    public async Task A_connect_can_be_cancelled_while_nobody_answers()
    {
        // A listener whose queue is full does not answer the next connect.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        var address = TransportAddress.Tcp("127.0.0.1", ((IPEndPoint)full.LocalEndPoint!).Port);
        using var deadline = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            var open = new List<IConnection>();
            try
            {
                while (open.Count < 100) open.Add(await Transport.ConnectAsync(address, deadline.Token));
            }
            finally
            {
                foreach (var one in open) one.Abort();
                foreach (var one in open) await one.DisposeAsync();
            }
        });
    }
}
