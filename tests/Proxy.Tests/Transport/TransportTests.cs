using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Forwarder.Net;
using KeyEvt.Proxy.Transport;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Do connections end as sessions rely on? The same over every transport.</summary>
public abstract class TransportTests : IAsyncLifetime
{
    private readonly string _unixPath = Path.Combine(Path.GetTempPath(), $"keyevt-{Guid.NewGuid():N}.sock");
    private readonly ITransport _transport;
    private IConnectionListener _listener = null!;
    private IConnection _connection = null!;
    private Socket _peer = null!;

    /// <param name="create">One that resolves names so.</param>
    private protected TransportTests(Func<HappyEyeballs, ITransport> create) =>
        _transport = create(new HappyEyeballs((name, _) => Task.FromResult(name == "localhost" ? [IPAddress.IPv6Loopback, IPAddress.Loopback] : Addresses), TimeProvider.System));

    /// <summary>Of every other name.</summary>
    private IPAddress[] Addresses { get; set; } = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _listener = _transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        _peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000, SendTimeout = 20_000 };
        await _peer.ConnectAsync(IPEndPoint.Parse(_listener.Address), Cancel);
        _connection = await _listener.AcceptAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        _connection.Abort();
        await _connection.DisposeAsync();
        await _listener.DisposeAsync();
        _peer.Dispose();
        await _transport.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Completing_the_output_sends_everything_and_then_FIN_and_the_input_goes_on()
    {
        var bytes = new byte[3_000_000];
        Random.Shared.NextBytes(bytes);
        var writing = Task.Run(
            async () =>
            {
                await _connection.Output.WriteAsync(bytes, Cancel);
                await _connection.Output.CompleteAsync();
            },
            Cancel);
        Assert.Equal(bytes, await ReceiveToEndAsync());
        await writing;
        await _peer.SendAsync("still here"u8.ToArray(), Cancel);
        _peer.Shutdown(SocketShutdown.Send);
        Assert.Equal("still here", await ReadToEndAsync(_connection));
    }

    [Fact]
    public async Task The_peers_FIN_ends_the_input_and_the_output_goes_on()
    {
        await _peer.SendAsync("bye"u8.ToArray(), Cancel);
        _peer.Shutdown(SocketShutdown.Send);
        Assert.Equal("bye", await ReadToEndAsync(_connection));
        await _connection.Output.WriteAsync("answer"u8.ToArray(), Cancel);
        await _connection.Output.CompleteAsync();
        Assert.Equal("answer"u8.ToArray(), await ReceiveToEndAsync());
    }

    [Fact]
    public async Task Disposing_waits_until_a_slow_peer_has_the_last_byte()
    {
        await _peer.SendAsync("x"u8.ToArray(), Cancel);
        var (flush, sent) = await FillAsync();
        var disposing = Task.Run(
            async () =>
            {
                await flush;
                await _connection.DisposeAsync();
            },
            Cancel);
        Assert.Equal(sent, (await ReceiveToEndAsync()).Length);
        await disposing;
    }

    [Fact]
    public async Task A_reset_breaks_the_input_and_completes_flushes()
    {
        var reading = _connection.Input.ReadAsync(Cancel).AsTask();
        _peer.LingerState = new LingerOption(true, 0);
        _peer.Close();
        await Assert.ThrowsAnyAsync<IOException>(() => reading);
        for (var i = 0; i < 1000; i++)
        {
            _connection.Output.TryWrite(new byte[] { 1 });
            if (!await _connection.Output.TryFlushAsync()) return;
            await Task.Delay(5, Cancel);
        }

        Assert.Fail("no flush said that the peer is gone");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Resetting_the_peer_is_a_reset_at_once_also_with_bytes_unread_and_unsent(bool isBusy)
    {
        var reading = Task.CompletedTask;
        if (isBusy)
        {
            await _peer.SendAsync("a request"u8.ToArray(), Cancel);
            await FillAsync();
        }
        else
        {
            reading = _connection.Input.ReadAsync(Cancel).AsTask();
        }

        _connection.ResetPeer();
        await _connection.DisposeAsync();
        var error = await Assert.ThrowsAsync<SocketException>(async () => await ReceiveToEndAsync());
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        await reading.ContinueWith(_ => { }, Cancel, TaskContinuationOptions.None, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Fact]
    public async Task A_listener_that_refuses_keeps_its_port_and_its_connections_and_lets_in_again()
    {
        Assert.False(_listener.CanRefuse); // its port was chosen by the kernel
        var place = new IPEndPoint(IPAddress.Loopback, FreePorts.Take());
        await using var listener = _transport.Listen(TransportAddress.Tcp("127.0.0.1", place.Port));
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
    public async Task A_unix_socket_knows_no_reset_and_its_peer_sees_the_end()
    {
        var address = TransportAddress.Unix(_unixPath);
        await using var listener = _transport.Listen(address);
        await using var client = await _transport.ConnectAsync(address, Cancel);
        await using var accepted = await listener.AcceptAsync(Cancel);
        accepted.ResetPeer();
        await accepted.DisposeAsync();
        Assert.Equal("", await ReadToEndAsync(client));
    }

    [Fact]
    public async Task Aborting_wakes_a_pending_read_and_a_pending_flush()
    {
        var reading = _connection.Input.ReadAsync(Cancel).AsTask();
        var (flush, _) = await FillAsync();
        _connection.Abort();
        Assert.False(await flush);
        Assert.True((await reading).IsCompleted);
    }

    [Fact]
    public async Task A_stale_unix_socket_file_is_replaced_and_a_living_one_is_not()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(_unixPath + "~"));
            File.Move(_unixPath + "~", _unixPath); // or the runtime would remove it
        }

        Assert.True(File.Exists(_unixPath));
        var address = TransportAddress.Unix(_unixPath);
        await using (_transport.Listen(address))
        {
            Assert.Throws<SocketPathException>(() => _transport.Listen(address));
            await using var client = await _transport.ConnectAsync(address, Cancel);
            client.Abort();
        }

        Assert.False(File.Exists(_unixPath));
    }

    [Fact]
    public async Task An_address_that_swallows_connects_does_not_keep_a_name_from_being_reached()
    {
        await using var hole = await BlackHole.OpenAsync(IPAddress.Parse("127.0.0.2"));
        await using var listener = _transport.Listen(TransportAddress.Tcp("127.0.0.3", hole.Port));
        Addresses = [IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.4"), IPAddress.Parse("127.0.0.3")]; // silent, refusing, living
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var connection = await _transport.ConnectAsync(TransportAddress.Tcp("redis.example", hole.Port), deadline.Token);
        await using var accepted = await listener.AcceptAsync(Cancel);
        await connection.Output.WriteAsync("hello"u8.ToArray(), Cancel);
        await connection.Output.CompleteAsync();
        Assert.Equal("hello", await ReadToEndAsync(accepted));
        accepted.Abort();
    }

    [Fact]
    public async Task A_name_is_resolved_and_a_refusal_is_an_exception()
    {
        var port = IPEndPoint.Parse(_listener.Address).Port;
        await using (var byName = await _transport.ConnectAsync(TransportAddress.Tcp("localhost", port), Cancel)) byName.Abort();
        await _listener.DisposeAsync();
        await Assert.ThrowsAsync<SocketException>(async () => await _transport.ConnectAsync(TransportAddress.Tcp("127.0.0.1", port), Cancel));
    }

    [Fact]
    public async Task Bytes_come_one_by_one_and_are_kept_until_they_are_consumed()
    {
        for (byte i = 0; i < 200; i++)
        {
            await _peer.SendAsync(new[] { i }, Cancel);
            var read = await _connection.Input.ReadAsync(Cancel);
            while (read.Buffer.Length <= i)
            {
                _connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                read = await _connection.Input.ReadAsync(Cancel);
            }

            Assert.Equal(Enumerable.Range(0, i + 1).Select(b => (byte)b), read.Buffer.ToArray());
            _connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    [Fact]
    public async Task Ten_megabytes_pass_both_ways_at_once_in_odd_pieces()
    {
        var bytes = new byte[10_000_000];
        Random.Shared.NextBytes(bytes);
        var echoing = EchoAsync();
        var sending = Task.Run(
            async () =>
            {
                for (var (at, size) = (0, 1); at < bytes.Length; at += size, size = Math.Min((size * 3) + 1, 300_000))
                    await _peer.SendAsync(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)), Cancel);
                _peer.Shutdown(SocketShutdown.Send);
            },
            Cancel);
        Assert.Equal(bytes, await ReceiveToEndAsync());
        await sending;
        await echoing;
    }

    [Fact]
    public async Task A_reader_that_is_as_fast_as_its_peer_gets_all_of_half_a_gigabyte()
    {
        const long Total = 512L << 20;
        var sending = Task.Run(
            async () =>
            {
                var piece = new byte[1 << 20];
                for (var i = 0; i < Total / piece.Length; i++) await _peer.SendAsync(piece, Cancel);
                _peer.Shutdown(SocketShutdown.Send);
            },
            Cancel);
        Assert.Equal(Total, await CountAsync(_connection.Input).WaitAsync(TimeSpan.FromSeconds(60), Cancel));
        await sending;
    }

    [Fact]
    public async Task A_flush_waits_while_the_peer_reads_nothing_and_goes_on_when_it_reads()
    {
        var (flush, sent) = await FillAsync();
        var receiving = ReceiveToEndAsync();
        Assert.True(await flush);
        await _connection.Output.CompleteAsync();
        Assert.Equal(sent, (await receiving).Length);
    }

    [Fact]
    public async Task A_read_can_be_cancelled_from_elsewhere_and_loses_nothing()
    {
        var reading = _connection.Input.ReadAsync(Cancel).AsTask();
        _connection.Input.CancelPendingRead();
        Assert.True((await reading).IsCanceled);
        _connection.Input.AdvanceTo(default);
        using var token = new CancellationTokenSource();
        reading = _connection.Input.ReadAsync(token.Token).AsTask();
        await token.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await _peer.SendAsync("all here"u8.ToArray(), Cancel);
        _peer.Shutdown(SocketShutdown.Send);
        Assert.Equal("all here", await ReadToEndAsync(_connection));
    }

    [Fact]
    public async Task What_is_written_on_any_thread_arrives_in_order()
    {
        var writing = WriteFromEverywhereAsync(_connection.Output);
        Assert.Equal(string.Concat(Enumerable.Range(0, 500).Select(i => $"{i} ")), Encoding.ASCII.GetString(await ReceiveToEndAsync()));
        await writing;
    }

    [Fact]
    public async Task Two_hundred_connections_each_get_their_own_bytes()
    {
        var address = TransportAddress.Unix(_unixPath);
        await using var listener = _transport.Listen(address);
        var serving = Task.Run(
            async () =>
            {
                var echoes = new List<Task>();
                for (var i = 0; i < 200; i++)
                {
                    var accepted = await listener.AcceptAsync(Cancel);
                    echoes.Add(EchoAsync(accepted).ContinueWith(_ => accepted.DisposeAsync().AsTask(), Cancel, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap());
                }

                await Task.WhenAll(echoes);
            },
            Cancel);
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 50, CancellationToken = Cancel }, async (n, cancel) =>
        {
            await using var client = await _transport.ConnectAsync(address, cancel);
            for (var i = 0; i < 20; i++)
            {
                var line = Encoding.ASCII.GetBytes($"connection {n} line {i} {new string('x', n * i)}");
                await client.Output.WriteAsync(line, cancel);
                var read = await client.Input.ReadAtLeastAsync(line.Length, cancel);
                if (!line.AsSpan().SequenceEqual(read.Buffer.ToArray())) Assert.Fail($"{n} got other bytes than its own at {i}");
                client.Input.AdvanceTo(read.Buffer.End);
            }
        });
        await serving;
    }

    [Fact]
    public async Task A_connect_can_be_cancelled_while_nobody_answers()
    {
        // A listener whose queue is full swallows the next one.
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
                while (open.Count < 100) open.Add(await _transport.ConnectAsync(address, deadline.Token));
            }
            finally
            {
                foreach (var one in open) one.Abort();
                foreach (var one in open) await one.DisposeAsync();
            }
        });
    }

    [Fact]
    public async Task Accepting_ends_when_it_is_cancelled_and_goes_on_when_called_again()
    {
        using var stop = new CancellationTokenSource();
        var accepting = _listener.AcceptAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
        using var next = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var again = _listener.AcceptAsync(Cancel);
        await next.ConnectAsync(IPEndPoint.Parse(_listener.Address), Cancel);
        await using var accepted = await again;
        Assert.Equal(next.LocalEndPoint!.ToString(), accepted.RemoteName);
        accepted.Abort();
    }

    /// <summary>Writes until the peer, who reads nothing, keeps a flush waiting.</summary>
    private async Task<(Task<bool> Flush, int Sent)> FillAsync()
    {
        var sent = 0;
        while (true)
        {
            Assert.True(sent < 64_000_000, "so much can nobody have taken");
            _connection.Output.TryWrite(new byte[50_000]);
            sent += 50_000;
            var flush = _connection.Output.TryFlushAsync().AsTask();
            await Task.WhenAny(flush, Task.Delay(500, Cancel));
            if (!flush.IsCompleted) return (flush, sent);
        }
    }

    private static async Task<long> CountAsync(PipeReader input)
    {
        for (long count = 0; ;)
        {
            var read = await input.ReadAsync().ConfigureAwait(false);
            if (read.IsCompleted && read.Buffer.IsEmpty) return count;
            count += read.Buffer.Length;
            input.AdvanceTo(read.Buffer.End);
        }
    }

    private static async Task WriteFromEverywhereAsync(PipeWriter output)
    {
        for (var i = 0; i < 500; i++)
        {
            if (i % 3 == 0) await Task.Yield(); // a pool thread
            if (i % 5 == 0) await output.FlushAsync(Cancel).ConfigureAwait(false); // the event loop's thread, if there is one
            output.TryWrite(Encoding.ASCII.GetBytes($"{i} "));
        }

        await output.CompleteAsync().ConfigureAwait(false);
    }

    private Task EchoAsync() => EchoAsync(_connection);

    private static async Task EchoAsync(IConnection connection)
    {
        while (true)
        {
            var read = await connection.Input.ReadAsync(Cancel).ConfigureAwait(false);
            connection.Input.Pass(read.Buffer, connection.Output);
            if (!await connection.Output.TryFlushAsync().ConfigureAwait(false)) return;
            if (!read.IsCompleted) continue;
            await connection.Output.CompleteAsync().ConfigureAwait(false);
            return;
        }
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

    private async Task<byte[]> ReceiveToEndAsync()
    {
        var all = new MemoryStream();
        var part = new byte[65536];
        for (int count; (count = await _peer.ReceiveAsync(part, Cancel)) > 0;) all.Write(part, 0, count);
        return all.ToArray();
    }
}
