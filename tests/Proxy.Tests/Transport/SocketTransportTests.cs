using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Do connections over sockets end as sessions rely on?</summary>
public sealed class SocketTransportTests : IAsyncLifetime
{
    private readonly string _unixPath = Path.Combine(Path.GetTempPath(), $"keyevt-{Guid.NewGuid():N}.sock");
    private IConnectionListener _listener = null!;
    private IConnection _connection = null!;
    private Socket _peer = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _listener = new SocketTransport().Listen(TransportAddress.Tcp("127.0.0.1", 0));
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
        var sent = 0;
        while (true)
        {
            // until the kernel's buffers are full and the pipe begins to fill
            var flush = _connection.Output.WriteAsync(new byte[16384], Cancel);
            sent += 16384;
            if (flush.IsCompleted) continue;
            var disposing = Task.Run(
                async () =>
                {
                    await flush;
                    await _connection.DisposeAsync();
                },
                Cancel);
            Assert.Equal(sent, (await ReceiveToEndAsync()).Length);
            await disposing;
            return;
        }
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

    [Fact]
    public async Task Aborting_wakes_a_pending_read_and_a_pending_flush()
    {
        var reading = _connection.Input.ReadAsync(Cancel).AsTask();
        ValueTask<bool> flush;
        do
        {
            _connection.Output.TryWrite(new byte[65536]);
            flush = _connection.Output.TryFlushAsync();
        }
        while (flush.IsCompleted);
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
        var transport = new SocketTransport();
        var address = TransportAddress.Unix(_unixPath);
        await using (transport.Listen(address))
        {
            Assert.ThrowsAny<SocketException>(() => transport.Listen(address));
            await using var client = await transport.ConnectAsync(address, Cancel);
            client.Abort();
        }

        Assert.False(File.Exists(_unixPath));
    }

    [Fact]
    public async Task A_name_is_resolved_and_a_refusal_is_an_exception()
    {
        var port = IPEndPoint.Parse(_listener.Address).Port;
        await using (var byName = await new SocketTransport().ConnectAsync(TransportAddress.Tcp("localhost", port), Cancel)) byName.Abort();
        await _listener.DisposeAsync();
        await Assert.ThrowsAsync<SocketException>(async () => await new SocketTransport().ConnectAsync(TransportAddress.Tcp("127.0.0.1", port), Cancel));
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
