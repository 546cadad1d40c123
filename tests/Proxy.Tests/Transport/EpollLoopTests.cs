using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Listen;
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

    [Fact]
    public async Task When_a_loop_ends_by_a_fault_whoever_waits_to_get_onto_it_is_told_even_if_another_post_throws()
    {
        await using var transport = new EpollTransport();
        var loop = await LoopOfAsync(transport);
        var switched = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.TryPost(
            _ =>
            {
                loop.TryPost(static _ => throw new InvalidTimeZoneException("the second"), loop);
                loop.TryPost(_ => _ = TellAsync(), loop);
                throw new InvalidTimeZoneException("the first");
            },
            loop);
        Assert.Equal("the first", (await Assert.ThrowsAsync<InvalidTimeZoneException>(() => transport.Completion.WaitAsync(TimeSpan.FromSeconds(30), Cancel))).Message);
        Assert.False(await switched.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel));

        async Task TellAsync() => switched.SetResult(await loop.SwitchAsync());
    }

    /// <summary>ENOMEM and ENOSPC (<c>/proc/sys/fs/epoll/max_user_watches</c>).</summary>
    [Theory]
    [InlineData(12, 1)]
    [InlineData(28, 1)]
    [InlineData(12, 2)]
    [InlineData(28, 2)]
    public async Task A_client_that_the_kernel_will_not_watch_is_closed_and_that_is_pressure_like_any_other(int errno, int loops)
    {
        await using var transport = new EpollTransport(loops);
        await using var listener = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        var accepted = new List<EpollConnection>();
        while (accepted.Select(one => one.Loop).Distinct().Count() < loops) accepted.Add(await AcceptAsync(listener));
        foreach (var one in accepted) one.Loop.Refusal = errno;
        for (var i = 0; i < 2 * loops; i++)
        {
            using var refused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await refused.ConnectAsync(IPEndPoint.Parse(listener.Address), Cancel);
            var fault = await Assert.ThrowsAsync<SocketException>(() => listener.AcceptAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel));
            Assert.Equal(AcceptError.Pressure, AcceptErrors.Classify(fault));
            Assert.Equal(0, await refused.ReceiveAsync(new byte[1], Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel)); // its descriptor is closed
        }

        foreach (var one in accepted) one.Loop.Refusal = 0;
        accepted.Add(await AcceptAsync(listener));
        Assert.False(transport.Completion.IsCompleted);
        foreach (var one in accepted) await EndAsync(one);
    }

    [Fact]
    public async Task An_upstream_that_the_kernel_will_not_watch_is_a_connect_that_fails_and_its_socket_is_closed()
    {
        await using var transport = new EpollTransport();
        var loop = await LoopOfAsync(transport);
        using var upstream = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        upstream.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        upstream.Listen();
        var path = Path.Combine(Path.GetTempPath(), $"keyevt-{Guid.NewGuid():N}.sock");
        using var atOnce = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified); // is connected to without waiting
        atOnce.Bind(new UnixDomainSocketEndPoint(path));
        atOnce.Listen();
        loop.Refusal = 28;
        foreach (var (listening, address) in new[] { (upstream, TransportAddress.Tcp("127.0.0.1", ((IPEndPoint)upstream.LocalEndPoint!).Port)), (atOnce, TransportAddress.Unix(path)) })
        {
            await Assert.ThrowsAsync<SocketException>(() => ConnectOnAsync(loop, transport, address).WaitAsync(TimeSpan.FromSeconds(30), Cancel));
            using var other = await listening.AcceptAsync(Cancel);
            Assert.Equal(0, await EndedAsync(other));
        }

        loop.Refusal = 0;
        await EndAsync(await ConnectOnAsync(loop, transport, TransportAddress.Unix(path)));
        File.Delete(path);
        Assert.False(transport.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_listener_that_the_kernel_will_not_watch_is_pressure_until_it_does()
    {
        await using var transport = new EpollTransport();
        var loop = await LoopOfAsync(transport);
        loop.Refusal = 28;
        await using var listener = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        for (var i = 0; i < 2; i++)
        {
            var fault = await Assert.ThrowsAsync<SocketException>(() => listener.AcceptAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel));
            Assert.Equal(AcceptError.Pressure, AcceptErrors.Classify(fault));
        }

        loop.Refusal = 0;
        var accepting = listener.AcceptAsync(Cancel).AsTask();
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(IPEndPoint.Parse(listener.Address), Cancel);
        await EndAsync((EpollConnection)await accepting.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        Assert.False(transport.Completion.IsCompleted);
    }

    [Fact]
    public async Task Two_reads_at_once_are_a_fault_and_the_first_goes_on()
    {
        await using var transport = new EpollTransport();
        await using var listener = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(IPEndPoint.Parse(listener.Address), Cancel);
        await using var client = (EpollConnection)await listener.AcceptAsync(Cancel);
        Assert.True(await client.Loop.SwitchAsync());
        var reading = client.Input.ReadAsync(CancellationToken.None).AsTask();
        Assert.Throws<InvalidOperationException>(() => BeginRead(client));
        Assert.Throws<InvalidOperationException>(() => client.Input.TryRead(out _));
        await peer.SendAsync("hello"u8.ToArray(), Cancel);
        Assert.Equal(5, (await reading).Buffer.Length);
    }

    [Theory]
    [InlineData("read")]
    [InlineData("cancel")]
    [InlineData("end")]
    public async Task A_relay_that_enters_the_reader_it_serves_is_a_fault(string how)
    {
        await using var transport = new EpollTransport();
        await using var listener = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(IPEndPoint.Parse(listener.Address), Cancel);
        await using var client = (EpollConnection)await listener.AcceptAsync(Cancel);
        var relay = new EnteringRelay(client, how);
        Assert.True(await client.Loop.SwitchAsync());
        var reading = client.Reader.ReadAsync(relay);
        await peer.SendAsync("hello"u8.ToArray(), Cancel);
        await Assert.ThrowsAsync<InvalidOperationException>(() => reading.AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        Assert.Equal(1, relay.Passes);
        Assert.False(transport.Completion.IsCompleted);
    }

    private static void BeginRead(EpollConnection connection) => _ = connection.Input.ReadAsync(CancellationToken.None).AsTask();

    private sealed class EnteringRelay(EpollConnection connection, string how) : ZeroCopyForwarder
    {
        public int Passes { get; private set; }

        public override ForwardResult TryForward(Block received)
        {
            Passes++;
            if (how == "read") BeginRead(connection);
            else if (how == "cancel") connection.Input.CancelPendingRead();
            else connection.Reader.End();
            return ForwardResult.NotTaken;
        }
    }

    private static async Task<EpollLoop> LoopOfAsync(EpollTransport transport)
    {
        await using var listener = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        var connection = await AcceptAsync(listener);
        await EndAsync(connection);
        return connection.Loop;
    }

    private static async Task<EpollConnection> AcceptAsync(IConnectionListener listener)
    {
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(IPEndPoint.Parse(listener.Address), Cancel);
        return (EpollConnection)await listener.AcceptAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    private static async Task EndAsync(EpollConnection connection)
    {
        connection.Abort();
        await connection.DisposeAsync();
    }

    private static async Task<int> EndedAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1], Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    private static async Task<EpollConnection> ConnectOnAsync(EpollLoop loop, EpollTransport transport, TransportAddress address)
    {
        Assert.True(await loop.SwitchAsync());
        return (EpollConnection)await transport.ConnectAsync(address, Cancel).ConfigureAwait(false);
    }
}
