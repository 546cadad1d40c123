using System.Net.Sockets;
using System.Text;
using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Do connections over TLS end as sessions rely on? The demands are the same as on plain sockets.</summary>
public sealed class TlsTransportEndTests : TlsTransportFixture
{
    [Fact]
    public async Task Both_ends_of_the_transport_understand_each_other()
    {
        var connecting = Transport.ConnectAsync(TransportAddress.Tls("localhost", Port), Cancel);
        await using var server = await Listener.AcceptAsync(Cancel);
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
}
