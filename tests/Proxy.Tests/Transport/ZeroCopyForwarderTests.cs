using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Epoll;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>What passes between two connections of a loop without waking anybody, and what does wake the reader?</summary>
public sealed class ZeroCopyForwarderTests : IAsyncLifetime
{
    private readonly EpollTransport _transport = new();
    private IConnectionListener _listener = null!;
    private EpollConnection _from = null!;
    private EpollConnection _to = null!;
    private Socket _sender = null!;
    private Socket _receiver = null!;

    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    private CancellationToken Cancel => _deadline.Token;

    public async ValueTask InitializeAsync()
    {
        _deadline.CancelAfter(TimeSpan.FromSeconds(60));
        _listener = _transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        (_from, _sender) = await ConnectAsync();
        (_to, _receiver) = await ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in (EpollConnection[])[_from, _to])
        {
            connection.Abort();
            await connection.DisposeAsync();
        }

        await _listener.DisposeAsync();
        _sender.Dispose();
        _receiver.Dispose();
        await _transport.DisposeAsync();
        _deadline.Dispose();
    }

    [Fact]
    public async Task What_the_forwarder_takes_arrives_and_wakes_no_read_and_what_it_does_not_take_is_read_whole()
    {
        var reading = ReadAsync(received => Text(received.Sequence) == "not this" ? ForwardResult.NotTaken : Pass(received));
        foreach (var text in (string[])["one", "two", "three"])
        {
            await _sender.SendAsync(Encoding.ASCII.GetBytes(text), Cancel);
            Assert.Equal(text, await ReceiveAsync(text.Length));
        }

        Assert.False(reading.IsCompleted);
        await _sender.SendAsync("not this"u8.ToArray(), Cancel);
        Assert.Equal("not this", Text((await reading.WaitAsync(TimeSpan.FromSeconds(20), Cancel)).Buffer));
    }

    [Fact]
    public async Task What_comes_behind_something_unread_is_not_offered_to_the_forwarder()
    {
        var offered = new List<string>();
        await _sender.SendAsync("abc"u8.ToArray(), Cancel);
        var read = await ReadAsync(Keep);
        Assert.Equal("abc", Text(read.Buffer));
        _from.Input.AdvanceTo(read.Buffer.GetPosition(1), read.Buffer.End);
        var reading = ReadAsync(Keep);
        await _sender.SendAsync("de"u8.ToArray(), Cancel);
        read = await reading.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.Equal("bcde", Text(read.Buffer));
        _from.Input.AdvanceTo(read.Buffer.End);
        await _sender.SendAsync("f"u8.ToArray(), Cancel);
        Assert.Equal("f", Text((await ReadAsync(Keep).WaitAsync(TimeSpan.FromSeconds(20), Cancel)).Buffer));
        Assert.Equal(["abc", "f"], offered);

        ForwardResult Keep(Block received)
        {
            offered.Add(Text(received.Sequence));
            return ForwardResult.NotTaken;
        }
    }

    [Fact]
    public async Task The_end_and_a_cancelled_read_are_not_the_relays()
    {
        var offers = 0;
        var reading = ReadAsync(_ => (ForwardResult)(++offers));
        _from.Input.CancelPendingRead();
        Assert.True((await reading.WaitAsync(TimeSpan.FromSeconds(20), Cancel)).IsCanceled);
        reading = ReadAsync(_ => (ForwardResult)(++offers));
        _sender.Shutdown(SocketShutdown.Send);
        Assert.True((await reading.WaitAsync(TimeSpan.FromSeconds(20), Cancel)).IsCompleted);
        Assert.Equal(0, offers);
    }

    [Fact]
    public async Task A_read_cancelled_before_it_began_is_not_offered_to_the_forwarder_though_there_is_something_to_be_received()
    {
        var offers = 0;
        await _sender.SendAsync("x"u8.ToArray(), Cancel);
        await UntilAsync(() => _from.IsReadable);
        _from.Input.CancelPendingRead();
        var read = await ReadAsync(Keep).WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.True(read.IsCanceled);
        Assert.Equal(0, offers);
        Assert.Equal("x", Text((await ReadAsync(Keep).WaitAsync(TimeSpan.FromSeconds(20), Cancel)).Buffer));

        ForwardResult Keep(Block received)
        {
            offers++;
            return ForwardResult.NotTaken;
        }
    }

    [Fact]
    public async Task A_fault_in_a_relay_is_its_readers_and_not_the_loops()
    {
        var reading = ReadAsync(_ => throw new InvalidTimeZoneException("the fault"));
        await _sender.SendAsync("x"u8.ToArray(), Cancel);
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => reading.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        Assert.False(_transport.Completion.IsCompleted);
        var (other, peer) = await ConnectAsync();
        await peer.SendAsync("y"u8.ToArray(), Cancel);
        Assert.Equal("y", Text((await other.Input.ReadAsync(Cancel)).Buffer));
        other.Abort();
        await other.DisposeAsync();
        peer.Dispose();
    }

    [Fact]
    public async Task A_receiver_that_does_not_keep_up_wakes_the_reader_which_waits_and_not_a_byte_is_lost()
    {
        var bytes = new byte[12_000_000];
        Random.Shared.NextBytes(bytes);
        var waits = 0;
        var pumping = PumpAsync(() => waits++);
        var sending = Task.Run(
            async () =>
            {
                for (var sent = 0; sent < bytes.Length;) sent += await _sender.SendAsync(bytes.AsMemory(sent), Cancel);
                _sender.Shutdown(SocketShutdown.Send);
            },
            Cancel);
        await UntilAsync(() => waits > 0); // nobody receives yet
        var received = new byte[bytes.Length];
        for (var count = 0; count < received.Length;) count += await _receiver.ReceiveAsync(received.AsMemory(count), Cancel);
        await sending;
        await pumping.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.Equal(bytes, received);
    }

    [Fact]
    public async Task An_output_that_takes_nothing_any_more_wakes_the_reader()
    {
        var reading = ReadAsync(Pass);
        _to.Abort();
        await _sender.SendAsync("x"u8.ToArray(), Cancel);
        var read = await reading.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.False(read.IsCompleted);
        Assert.True(read.Buffer.IsEmpty);
        Assert.False(await _to.Output.TryFlushAsync());
    }

    /// <summary>As the pumps of a session do it.</summary>
    private async Task PumpAsync(Action waits)
    {
        Assert.True(await _from.Loop.SwitchAsync());
        while (true)
        {
            var read = await _from.Input.ReadAsync(new AskedForwarder(Pass)).ConfigureAwait(false);
            _from.Input.Pass(read.Buffer, _to.Output);
            if (read.IsCompleted) break;
            Assert.True(read.Buffer.IsEmpty);
            waits();
            await _to.Output.TryFlushAsync().ConfigureAwait(false);
        }

        await _to.Output.CompleteAsync().ConfigureAwait(false);
    }

    private ForwardResult Pass(Block received) => _to.Writer.TakeAndFlush(received) ? ForwardResult.Forwarded : ForwardResult.ForwardedUnflushed;

    /// <summary>Begun on the loop: elsewhere a read knows no relay.</summary>
    private async Task<ReadResult> ReadAsync(Func<Block, ForwardResult> pass)
    {
        Assert.True(await _from.Loop.SwitchAsync());
        return await _from.Input.ReadAsync(new AskedForwarder(pass)).ConfigureAwait(false);
    }

    private async Task<(EpollConnection Connection, Socket Peer)> ConnectAsync()
    {
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(IPEndPoint.Parse(_listener.Address), Cancel);
        return ((EpollConnection)await _listener.AcceptAsync(Cancel), peer);
    }

    private async Task<string> ReceiveAsync(int length)
    {
        var bytes = new byte[length];
        for (var count = 0; count < length;) count += await _receiver.ReceiveAsync(bytes.AsMemory(count), Cancel);
        return Encoding.ASCII.GetString(bytes);
    }

    private static string Text(ReadOnlySequence<byte> bytes) => Encoding.ASCII.GetString(bytes);

    private async Task UntilAsync(Func<bool> isSo)
    {
        for (var tries = 0; !isSo(); tries++)
        {
            Assert.True(tries < 2_000, "it does not come");
            await Task.Delay(10, Cancel);
        }
    }

    private sealed class AskedForwarder(Func<Block, ForwardResult> pass) : ZeroCopyForwarder
    {
        public override ForwardResult TryForward(Block received) => pass(received);
    }
}
