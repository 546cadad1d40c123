using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Forwarder.Net;
using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Do all bytes arrive, in order and without loss, however they are read and written? The same over every transport.</summary>
public abstract class TransportFlowTests : TransportFixture
{
    private protected TransportFlowTests(Func<HappyEyeballs, ITransport> create)
        : base(create)
    {
    }

    [Fact]
    public async Task Bytes_come_one_by_one_and_are_kept_until_they_are_consumed()
    {
        for (byte i = 0; i < 200; i++)
        {
            await Peer.SendAsync(new[] { i }, Cancel);
            var read = await Connection.Input.ReadAsync(Cancel);
            while (read.Buffer.Length <= i)
            {
                Connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                read = await Connection.Input.ReadAsync(Cancel);
            }

            Assert.Equal(Enumerable.Range(0, i + 1).Select(b => (byte)b), read.Buffer.ToArray());
            Connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
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
                {
                    await Peer.SendAsync(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)), Cancel);
                }

                Peer.Shutdown(SocketShutdown.Send);
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
                for (var i = 0; i < Total / piece.Length; i++) await Peer.SendAsync(piece, Cancel);
                Peer.Shutdown(SocketShutdown.Send);
            },
            Cancel);
        Assert.Equal(Total, await CountAsync(Connection.Input).WaitAsync(TimeSpan.FromSeconds(60), Cancel));
        await sending;
    }

    [Fact]
    public async Task A_flush_waits_while_the_peer_reads_nothing_and_goes_on_when_it_reads()
    {
        var (flush, sent) = await FillAsync();
        var receiving = ReceiveToEndAsync();
        Assert.True(await flush);
        await Connection.Output.CompleteAsync();
        Assert.Equal(sent, (await receiving).Length);
    }

    [Fact]
    public async Task A_read_can_be_cancelled_from_elsewhere_and_loses_nothing()
    {
        var reading = Connection.Input.ReadAsync(Cancel).AsTask();
        Connection.Input.CancelPendingRead();
        Assert.True((await reading).IsCanceled);
        Connection.Input.AdvanceTo(default);
        using var token = new CancellationTokenSource();
        reading = Connection.Input.ReadAsync(token.Token).AsTask();
        await token.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await Peer.SendAsync("all here"u8.ToArray(), Cancel);
        Peer.Shutdown(SocketShutdown.Send);
        Assert.Equal("all here", await ReadToEndAsync(Connection));
    }

    [Fact]
    public async Task What_is_written_on_any_thread_arrives_in_order()
    {
        var writing = WriteFromEverywhereAsync(Connection.Output);
        Assert.Equal(string.Concat(Enumerable.Range(0, 500).Select(i => $"{i} ")), Encoding.ASCII.GetString(await ReceiveToEndAsync()));
        await writing;
    }

    [Fact]
    public async Task Two_hundred_connections_each_get_their_own_bytes()
    {
        var address = TransportAddress.Unix(UnixPath);
        await using var listener = Transport.Listen(address);
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
            await using var client = await Transport.ConnectAsync(address, cancel);
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
            // This continues on a thread of the pool.
            if (i % 3 == 0) await Task.Yield();
            // This continues on the event loop's thread, if there is one.
            if (i % 5 == 0) await output.FlushAsync(Cancel).ConfigureAwait(false);
            output.TryWrite(Encoding.ASCII.GetBytes($"{i} "));
        }

        await output.CompleteAsync().ConfigureAwait(false);
    }

    private Task EchoAsync() => EchoAsync(Connection);

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
}
