using System.Net.Sockets;
using KeyEvt.Forwarder.Net;
using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Do connections end as sessions rely on? The same over every transport.</summary>
public abstract class TransportEndTests : TransportFixture
{
    private protected TransportEndTests(Func<HappyEyeballs, ITransport> create)
        : base(create)
    {
    }

    [Fact]
    public async Task Completing_the_output_sends_everything_and_then_FIN_and_the_input_goes_on()
    {
        var bytes = new byte[3_000_000];
        Random.Shared.NextBytes(bytes);
        var writing = Task.Run(
            async () =>
            {
                await Connection.Output.WriteAsync(bytes, Cancel);
                await Connection.Output.CompleteAsync();
            },
            Cancel);
        Assert.Equal(bytes, await ReceiveToEndAsync());
        await writing;
        await Peer.SendAsync("still here"u8.ToArray(), Cancel);
        Peer.Shutdown(SocketShutdown.Send);
        Assert.Equal("still here", await ReadToEndAsync(Connection));
    }

    [Fact]
    public async Task The_peers_FIN_ends_the_input_and_the_output_goes_on()
    {
        await Peer.SendAsync("bye"u8.ToArray(), Cancel);
        Peer.Shutdown(SocketShutdown.Send);
        Assert.Equal("bye", await ReadToEndAsync(Connection));
        await Connection.Output.WriteAsync("answer"u8.ToArray(), Cancel);
        await Connection.Output.CompleteAsync();
        Assert.Equal("answer"u8.ToArray(), await ReceiveToEndAsync());
    }

    [Fact]
    public async Task Disposing_waits_until_a_slow_peer_has_the_last_byte()
    {
        await Peer.SendAsync("x"u8.ToArray(), Cancel);
        var (flush, sent) = await FillAsync();
        var disposing = Task.Run(
            async () =>
            {
                await flush;
                await Connection.DisposeAsync();
            },
            Cancel);
        Assert.Equal(sent, (await ReceiveToEndAsync()).Length);
        await disposing;
    }

    [Fact]
    public async Task A_reset_breaks_the_input_and_completes_flushes()
    {
        var reading = Connection.Input.ReadAsync(Cancel).AsTask();
        Peer.LingerState = new LingerOption(true, 0);
        Peer.Close();
        await Assert.ThrowsAnyAsync<IOException>(() => reading);
        for (var i = 0; i < 1000; i++)
        {
            Connection.Output.TryWrite(new byte[] { 1 });
            if (!await Connection.Output.TryFlushAsync()) return;
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
            await Peer.SendAsync("a request"u8.ToArray(), Cancel);
            await FillAsync();
        }
        else
        {
            reading = Connection.Input.ReadAsync(Cancel).AsTask();
        }

        Connection.ResetPeer();
        await Connection.DisposeAsync();
        var error = await Assert.ThrowsAsync<SocketException>(ReceiveToEndAsync);
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        await reading.ContinueWith(_ => { }, Cancel, TaskContinuationOptions.None, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Fact]
    public async Task A_unix_socket_knows_no_reset_and_its_peer_sees_the_end()
    {
        var address = TransportAddress.Unix(UnixPath);
        await using var listener = Transport.Listen(address);
        await using var client = await Transport.ConnectAsync(address, Cancel);
        await using var accepted = await listener.AcceptAsync(Cancel);
        accepted.ResetPeer();
        await accepted.DisposeAsync();
        Assert.Equal("", await ReadToEndAsync(client));
    }

    [Fact]
    public async Task Aborting_wakes_a_pending_read_and_a_pending_flush()
    {
        var reading = Connection.Input.ReadAsync(Cancel).AsTask();
        var (flush, _) = await FillAsync();
        Connection.Abort();
        Assert.False(await flush);
        Assert.True((await reading).IsCompleted);
    }
}
