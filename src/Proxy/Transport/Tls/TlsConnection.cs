using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Posix;
using KeyEvt.Proxy.Transport.Sockets;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>
/// One TLS stream as two pipes, with one loop that receives and one that sends. Completing the output sends what is left, then TLS' own end of one direction
/// (close_notify), then FIN. The input goes on.
/// <para>
/// Why loops of its own, and not PipeReader.Create and PipeWriter.Create over the stream: those have no half-close, write inside the caller's flush, and waking
/// a read would cancel a read inside TLS. While nothing comes, no buffer is held: the loop first reads zero bytes, which waits for data.
/// </para>
/// </summary>
internal sealed class TlsConnection : IConnection
{
    /// <summary>How long a peer may take for the last bytes after its session has ended.</summary>
    private static readonly TimeSpan SendDeadline = TimeSpan.FromSeconds(10);

    /// <summary>The most that a TLS record holds. Each segment of a pipe becomes one record.</summary>
    private const int SegmentBytes = 16 * 1024;

    /// <summary>A pipe's writer pauses when this much is unread, and goes on at half of it.</summary>
    private const int PauseBytes = 128 * 1024;

    private static readonly PipeOptions Options = new(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: PauseBytes,
        resumeWriterThreshold: PauseBytes / 2,
        minimumSegmentSize: SegmentBytes,
        useSynchronizationContext: false);

    private readonly Pipe _received = new(Options);
    private readonly Pipe _toSend = new(Options);
    private readonly Socket _socket;
    private readonly SslStream _secure;
    private readonly TimeProvider _time;
    private readonly Task _receiving;
    private readonly Task _sending;

    /// <summary>Takes over the socket and the stream; the handshake must be done.</summary>
    public TlsConnection(Socket socket, SslStream secure, string remoteName, TimeProvider time)
    {
        (_socket, _secure, RemoteName, _time) = (socket, secure, remoteName, time);
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    public string RemoteName { get; }

    public PipeReader Input => _received.Reader;

    public PipeWriter Output => _toSend.Writer;

    public IPAddress? GetLocalAddress() => LocalAddress.Of(_socket);

    public void Abort()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // the socket is already closed
        }
    }

    /// <summary>Resets TCP without TLS' own end (close_notify). A TLS client takes it for a reset.</summary>
    public void ResetPeer() => _socket.Reset();

    public async ValueTask DisposeAsync()
    {
        await Output.CompleteAsync().ConfigureAwait(false);
        try
        {
            await _sending.WaitAsync(SendDeadline, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // a peer that does not read loses the rest
        }

        await Input.CompleteAsync().ConfigureAwait(false);
        Abort();
        await _receiving.ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        await _secure.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ReceiveAsync()
    {
        Exception? broken = null;
        try
        {
            await CopyInAsync(_received.Writer).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            broken = e as IOException ?? new IOException(e.Message, e);
        }

        await _received.Writer.CompleteAsync(broken).ConfigureAwait(false);
    }

    private async Task CopyInAsync(PipeWriter input)
    {
        while (true)
        {
            await _secure.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
            var count = await _secure.ReadAsync(input.GetMemory(SegmentBytes)).ConfigureAwait(false);
            if (count == 0) return;
            input.Advance(count);
            if ((await input.FlushAsync().ConfigureAwait(false)).IsCompleted) return;
        }
    }

    private async Task SendAsync()
    {
        try
        {
            await CopyOutAsync(_toSend.Reader).ConfigureAwait(false);
            await _secure.ShutdownAsync().ConfigureAwait(false);
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer takes no more bytes; the next flush says so.
        }

        await _toSend.Reader.CompleteAsync().ConfigureAwait(false);
    }

    private async Task CopyOutAsync(PipeReader output)
    {
        while (true)
        {
            var read = await output.ReadAsync().ConfigureAwait(false);
            foreach (var segment in read.Buffer) await _secure.WriteAsync(segment).ConfigureAwait(false);
            output.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return;
        }
    }
}
