using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Posix;
using Pipelines.Sockets.Unofficial;

namespace KeyEvt.Proxy.Transport.Sockets;

/// <summary>
/// One socket as two pipes, by SocketConnection. Its receive loop ends the input at FIN. Its send loop, once the output is completed, sends what is left and
/// then shuts down only the sending direction. So half-closing works as a session needs it.
/// <para>
/// Two of its habits are kept away from sessions. Its Dispose wakes both loops while the kernel may still use their buffers; so only the socket is disposed of
/// here, and the runtime ends the loops. And it does not say when the last byte is sent; disposing of this connection waits for that, within a deadline.
/// </para>
/// </summary>
internal sealed class PipelinedConnection : IConnection
{
    /// <summary>
    /// How long a peer may take for the last bytes (at most <see cref="PauseBytes"/> and the kernel's own buffer) after its session has ended.
    /// </summary>
    private static readonly TimeSpan SendDeadline = TimeSpan.FromSeconds(10);

    /// <summary>A pipe's writer pauses when this much is unread, and goes on at half of it.</summary>
    private const int PauseBytes = 128 * 1024;

    private static readonly PipeOptions ReceiveOptions = NewOptions(pool: null);

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly SocketConnection _pipes;
    private readonly TaskCompletionSource _allSent = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PipelinedConnection(Socket socket, string remoteName, TimeProvider time)
    {
        (_socket, _time) = (socket, time);
        RemoteName = remoteName;
        _pipes = SocketConnection.Create(socket, NewOptions(new ConnectionBlocks()), ReceiveOptions, SocketConnectionOptions.InlineReads | SocketConnectionOptions.InlineWrites);
#pragma warning disable CS0618 // "may not be invoked on all implementations": the Pipe used here does invoke it
        _pipes.Output.OnReaderCompleted(static (_, sent) => ((TaskCompletionSource)sent!).TrySetResult(), _allSent);
#pragma warning restore CS0618
    }

    public string RemoteName { get; }

    public PipeReader Input => _pipes.Input;

    public PipeWriter Output => _pipes.Output;

    public IPAddress? GetLocalAddress() => LocalAddress.Of(_socket);

    public void Abort()
    {
        _allSent.TrySetResult();
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // the socket is not connected any more
        }
        catch (ObjectDisposedException)
        {
            // the socket is already disposed of
        }
    }

    public void ResetPeer()
    {
        _allSent.TrySetResult();
        _socket.Reset();
    }

    public async ValueTask DisposeAsync()
    {
        await Output.CompleteAsync().ConfigureAwait(false);
        try
        {
            await _allSent.Task.WaitAsync(SendDeadline, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // a peer that does not read loses the rest
        }

        await Input.CompleteAsync().ConfigureAwait(false);
        _socket.Dispose();
    }

    private static PipeOptions NewOptions(ConnectionBlocks? pool) => new(
        pool,
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: PauseBytes,
        resumeWriterThreshold: PauseBytes / 2,
        minimumSegmentSize: 4096,
        useSynchronizationContext: false);
}
