using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// The bytes that a socket is to send, as a pipe. What is written during one turn of the loop is sent at the end of the turn, by one system call. A flush waits
/// only while too much is unsent.
/// <para>
/// Bytes that are written on another thread than the loop's are kept apart until a flush brings them to the loop; see <see cref="ForeignBytes"/>.
/// </para>
/// </summary>
/// <param name="fd">
/// The connection's socket. It is stored here rather than read from the connection at each send: with hundreds of busy sessions each further object is a cache
/// miss.
/// </param>
/// <param name="isToClient">True: the connection was accepted from a client. False: it was made to an upstream.</param>
internal sealed class EpollWriter(EpollConnection connection, int fd, bool isToClient) : BlockWriter, IValueTaskSource<FlushResult>
{
    /// <summary>A flush waits while more than this is unsent, and goes on when at most half of it is.</summary>
    private const int PauseBytes = 128 * 1024;

    private readonly EpollLoop _loop = connection.Loop;

    /// <summary>
    /// State of the waiting flush. On another thread than the loop's, <see cref="FlushSlow"/> resets it before it posts the flush to the loop; everything else
    /// is done by the loop.
    /// </summary>
    private ManualResetValueTaskSourceCore<FlushResult> _source;

    /// <summary>This field, <see cref="_queue"/> and the flags below are used on the loop's thread only.</summary>
    private TaskCompletionSource? _allSent;
    private SendQueue _queue = new(connection.Loop);

    /// <summary>
    /// Bytes that were written on other threads since the last flush; null if there are none. Belongs to the thread that writes until it flushes or completes,
    /// and then to the loop.
    /// </summary>
    private ForeignBytes? _foreign;

    /// <summary>This writer is in the loop's list of writers that send at the end of the turn.</summary>
    private bool _isDue;

    /// <summary>The kernel takes no more bytes for now; epoll will report when it does.</summary>
    private bool _isBlocked;
    private bool _isWaiting;
    private bool _isCompleted;
    private bool _isFinished;

    /// <summary>The peer takes no more bytes, or this side has cut the connection.</summary>
    private bool _isBroken;

    public override object Owner => _loop;

    /// <summary>FIN has been sent, or will be sent when the socket is closed.</summary>
    public bool HasEnded => _isFinished;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _queue.Bytes + (_foreign?.Length ?? 0);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _loop.IsCurrent ? Tail(sizeHint).Free : Foreign.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (_loop.IsCurrent) _queue.Wrote(bytes);
        else Foreign.Advance(bytes);
    }

    public override void Append(ReadOnlySpan<byte> bytes)
    {
        if (!_loop.IsCurrent)
        {
            Foreign.Write(bytes);
            return;
        }

        TakeForeign();
        _queue.Append(bytes);
    }

    /// <inheritdoc/>
    /// <remarks>On another thread than the loop's the bytes are copied.</remarks>
    public override void TakeFrom(BlockReader reader, in ReadOnlySequence<byte> buffer)
    {
        if (!_loop.IsCurrent || !ReferenceEquals(reader.Owner, _loop))
        {
            foreach (var segment in buffer) Append(segment.Span);
            reader.AdvanceTo(buffer.End);
            return;
        }

        TakeForeign();
        for (var block = ((EpollReader)reader).TakeAll(); block is not null;)
        {
            var next = block.Following;
            block.Unlink();
            _queue.Take(block);
            block = next;
        }
    }

    /// <inheritdoc/>
    /// <remarks>On the loop's thread only.</remarks>
    public override bool TakeAndFlush(Block block)
    {
        TakeForeign();
        _queue.Take(block);
        return FlushOnLoop() && !_isBroken;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (!_loop.IsCurrent) return FlushSlow();
        if (!FlushOnLoop()) return Wait();
        return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: _isBroken));
    }

    public override void CancelPendingFlush()
    {
        if (_loop.IsCurrent) EndWaiting(isCanceled: true);
        else _loop.TryPost(static writer => ((EpollWriter)writer).EndWaiting(isCanceled: true), this);
    }

    /// <summary>Sends FIN, behind all bytes that were written.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_loop.IsCurrent) CompleteOnLoop();
        else _loop.TryPost(static writer => ((EpollWriter)writer).CompleteOnLoop(), this);
    }

    /// <summary>
    /// On the loop, when no more is written and the socket is about to be closed. The task completes when everything is sent; null: nothing is left to send.
    /// </summary>
    public Task? CompleteAndSend()
    {
        TakeForeign();
        _isCompleted = _isFinished = true;
        TrySend();
        if (_queue.Bytes == 0) return null;
        _allSent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _allSent.Task;
    }

    /// <summary>On the loop: sends nothing more, and drops what is unsent.</summary>
    public void Break()
    {
        _isBroken = true;
        _queue.Drop();
        _allSent?.TrySetResult();
        EndWaiting(isCanceled: false);
    }

    public void OnWritable()
    {
        if (!_isBlocked) return;
        _isBlocked = false;
        TrySend();
        if (!_isBlocked) connection.WatchOut(false);
    }

    public void SendAtEndOfTurn()
    {
        _isDue = false;
        TrySend();
    }

    /// <summary>On the loop: sends as much as the kernel takes.</summary>
    public void TrySend()
    {
        while (_queue.Bytes > 0 && !_isBlocked && !_isBroken)
        {
            var asked = _queue.SendOnce(fd, out var sent);
            if (sent > 0) _queue.Sent(sent);
            if (sent < asked && (sent >= 0 || !Failed())) WaitUntilWritable();
        }

        if (_queue.Bytes == 0) _queue.Drop(); // a block may have been rented but never written to
        if (_isWaiting && _queue.Bytes <= PauseBytes / 2) EndWaiting(isCanceled: false);
        if (_isCompleted && _queue.Bytes == 0) Finish();
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private ForeignBytes Foreign => _foreign ??= new ForeignBytes();

    /// <summary>The block to write into, behind everything that was written on other threads.</summary>
    private Block Tail(int sizeHint)
    {
        TakeForeign();
        return _queue.Tail(sizeHint);
    }

    private void TakeForeign()
    {
        if (_foreign is not null) TakeForeignSlow();
    }

    private void TakeForeignSlow()
    {
        var foreign = _foreign!;
        _foreign = null;
        _queue.Append(foreign.Bytes);
    }

    /// <summary>Flushes on the loop. False: too much is unsent, and the flush must wait.</summary>
    private bool FlushOnLoop()
    {
        TakeForeign();
        if (_isBroken) _queue.Drop();
        else if (_queue.Bytes > PauseBytes) TrySend();
        else if (_queue.Bytes > 0) SendLater();
        return _queue.Bytes <= PauseBytes;
    }

    private void SendLater()
    {
        if (_isDue || _isBlocked) return;
        _isDue = true;
        _loop.SendLater(this, isToClient);
    }

    private ValueTask<FlushResult> Wait()
    {
        _source.Reset();
        _isWaiting = true;
        return new ValueTask<FlushResult>(this, _source.Version);
    }

    /// <summary>A flush from another thread. The loop begins it and completes it.</summary>
    private ValueTask<FlushResult> FlushSlow()
    {
        _source.Reset();
        return _loop.TryPost(static writer => ((EpollWriter)writer).FlushPosted(), this)
            ? new ValueTask<FlushResult>(this, _source.Version)
            : new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
    }

    private void FlushPosted()
    {
        _isWaiting = true;
        if (FlushOnLoop()) EndWaiting(isCanceled: false);
    }

    private void EndWaiting(bool isCanceled)
    {
        if (!_isWaiting) return;
        _isWaiting = false;
        _source.SetResult(new FlushResult(isCanceled, _isBroken));
    }

    private void CompleteOnLoop()
    {
        TakeForeign();
        _isCompleted = true;
        SendLater();
    }

    private void Finish()
    {
        _allSent?.TrySetResult();
        if (_isFinished || _isBroken || connection.Slot < 0) return;
        _isFinished = true;
        _ = Libc.Shutdown(fd, Libc.ShutdownWrite);
    }

    /// <summary>Called after a failed send. False: the kernel only takes no more for now. True: try again, unless the connection is broken.</summary>
    private bool Failed()
    {
        var errno = Marshal.GetLastSystemError();
        if (errno == Errno.Interrupted) return true;
        if (errno == Errno.Again) return false;
        connection.IsReset = true;
        Break();
        return true;
    }

    private void WaitUntilWritable()
    {
        _isBlocked = true;
        connection.WatchOut(true);
    }
}
