using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Epoll;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>What is left when a loop ends, and where do things run?</summary>
public sealed class EpollLoopTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fault_ends_the_loop_loudly_and_leaves_nobody_waiting()
    {
        await using var transport = new EpollTransport();
        await using var listener = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(IPEndPoint.Parse(listener.Address), Cancel);
        var connection = (EpollConnection)await listener.AcceptAsync(Cancel);
        var reading = connection.Input.ReadAsync(Cancel).AsTask();
        var accepting = listener.AcceptAsync(Cancel).AsTask();
        Assert.False(transport.Completion.IsCompleted);

        connection.Loop.TryPost(static _ => throw new InvalidTimeZoneException("the fault"), connection);

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => transport.Completion.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        Assert.True((await reading.WaitAsync(TimeSpan.FromSeconds(20), Cancel)).IsCompleted);
        await Assert.ThrowsAsync<SocketException>(() => accepting.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        Assert.Equal(0, await peer.ReceiveAsync(new byte[1], Cancel)); // its socket is closed
        connection.Output.TryWrite(new byte[] { 1 });
        Assert.False(await connection.Output.TryFlushAsync());
        Assert.True((await connection.Input.ReadAsync(Cancel)).IsCompleted);
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task A_session_stays_on_the_loop_that_its_client_came_in_on()
    {
        await using var transport = new EpollTransport(4);
        await using var listener = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        await using var upstream = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        var address = IPEndPoint.Parse(upstream.Address);
        var loops = new HashSet<EpollLoop>();
        for (var i = 0; i < 8; i++)
        {
            using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await peer.ConnectAsync(IPEndPoint.Parse(listener.Address), Cancel);
            await using var client = (EpollConnection)await listener.AcceptAsync(Cancel);
            await using var other = await ConnectOnAsync(client.Loop, transport, TransportAddress.Tcp("127.0.0.1", address.Port));
            Assert.Same(client.Loop, other.Loop);
            loops.Add(client.Loop);
            client.Abort();
            other.Abort();
        }

        Assert.Equal(4, loops.Count);
    }

    [Fact]
    public async Task An_idle_connection_holds_no_block_and_half_a_request_only_a_small_one()
    {
        await using var transport = new EpollTransport();
        await using var listener = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(IPEndPoint.Parse(listener.Address), Cancel);
        await using var client = (EpollConnection)await listener.AcceptAsync(Cancel);
        await peer.SendAsync("*1\r\n$4\r\nPI"u8.ToArray(), Cancel);
        var half = await client.Input.ReadAsync(Cancel);
        client.Input.AdvanceTo(half.Buffer.Start, half.Buffer.End);
        var reading = client.Input.ReadAsync(Cancel);
        await peer.SendAsync("NG\r\n"u8.ToArray(), Cancel);
        var whole = await reading;
        var capacities = new List<int>();
        foreach (var segment in whole.Buffer) capacities.Add(segment.Length);
        Assert.Equal([10, 4], capacities); // the first bytes were moved away from where the rest was then received
        client.Input.AdvanceTo(whole.Buffer.End);
        Assert.Null(client.Reader.TakeAll());
        client.Abort();
    }

    [Fact]
    public void A_block_that_is_given_back_twice_is_a_fault_and_not_two_owners()
    {
        var pool = new BlockPool();
        var block = pool.Rent();
        pool.Return(block);
        Assert.Throws<InvalidOperationException>(() => pool.Return(block));
        Assert.NotSame(pool.Rent(), pool.Rent());
    }

    private static async Task<EpollConnection> ConnectOnAsync(EpollLoop loop, EpollTransport transport, TransportAddress address)
    {
        Assert.True(await loop.SwitchAsync());
        return (EpollConnection)await transport.ConnectAsync(address, Cancel).ConfigureAwait(false);
    }
}
