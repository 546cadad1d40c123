using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// Bytes for a socket, as a pipe. What is written in one turn of the loop is sent at its end, by one call for all of it. A flush waits
/// only while too much is unsent.
/// <para>
/// On another thread than the loop's, bytes are kept aside until the flush has brought them to the loop: see <see cref="ForeignBytes"/>.
/// </para>
/// <para>
/// What a send needs lies here, not in the connection: with hundreds of busy sessions each further object is a cache miss.
/// </para>
/// </summary>
/// <param name="fd">The connection's.</param>
/// <param name="isToClient">The connection was accepted, not made.</param>
internal sealed class EpollWriter(EpollConnection connection, int fd, bool isToClient) : BlockWriter, IValueTaskSource<FlushResult>
{
    /// <summary>A flush waits when this much is unsent, and goes on at half of it.</summary>
    private const int PauseBytes = 128 * 1024;

    /// <summary>Blocks by one call: more than <see cref="PauseBytes"/> can be, if they are at all full.</summary>
    private const int MaxVectors = 16;

    /// <summary>Fewer bytes than this are copied behind others, where that saves a block.</summary>
    private const int CopiedBytes = 16 * 1024;

    private readonly EpollLoop _loop = connection.Loop;
    private ManualResetValueTaskSourceCore<FlushResult> _source;
    private TaskCompletionSource? _allSent;
    private Block? _head;
    private Block? _tail;
    private ForeignBytes? _foreign;
    private long _unsent;

    /// <summary>In the loop's list of those that send at the end of the turn.</summary>
    private bool _isDue;

    /// <summary>The kernel takes no more for now; epoll will say when it does.</summary>
    private bool _isBlocked;
    private bool _isWaiting;
    private bool _isCompleted;
    private bool _isFinished;

    /// <summary>The peer takes nothing any more, or this side has ended it.</summary>
    private bool _isBroken;

    public override object Owner => _loop;

    /// <summary>FIN has been sent, or closing will send it.</summary>
    public bool HasEnded => _isFinished;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unsent + (_foreign?.Length ?? 0);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _loop.IsCurrent ? Tail(sizeHint).Free : Foreign.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (_loop.IsCurrent) Wrote(bytes);
        else Foreign.Advance(bytes);
    }

    public override void Append(ReadOnlySpan<byte> bytes)
    {
        if (!_loop.IsCurrent)
        {
            Foreign.Write(bytes);
            return;
        }

        while (!bytes.IsEmpty)
        {
            var tail = Tail(0);
            var part = bytes[..Math.Min(bytes.Length, tail.Room)];
            part.CopyTo(tail.Free.Span);
            Wrote(part.Length);
            bytes = bytes[part.Length..];
        }
    }

    /// <inheritdoc/>
    /// <remarks>Without copying only on the loop's own thread.</remarks>
    public override void TakeFrom(BlockReader reader, in ReadOnlySequence<byte> buffer)
    {
        if (!_loop.IsCurrent || !ReferenceEquals(reader.Owner, _loop))
        {
            foreach (var segment in buffer) Append(segment.Span);
            reader.AdvanceTo(buffer.End);
            return;
        }

        if (_foreign is not null) TakeForeign();
        for (var block = ((EpollReader)reader).TakeAll(); block is not null;)
        {
            var next = block.Following;
            block.Unlink();
            Take(block);
            block = next;
        }
    }

    /// <inheritdoc/>
    /// <remarks>On the loop only.</remarks>
    public override bool TakeAndFlush(Block block)
    {
        if (_foreign is not null) TakeForeign();
        Take(block);
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

    /// <summary>FIN behind all bytes.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_loop.IsCurrent) CompleteOnLoop();
        else _loop.TryPost(static writer => ((EpollWriter)writer).CompleteOnLoop(), this);
    }

    /// <summary>On the loop: no more is written, and the socket is about to be closed. Null: nothing is left to be sent.</summary>
    public Task? CompleteAndSend()
    {
        if (_foreign is not null) TakeForeign();
        _isCompleted = _isFinished = true;
        TrySend();
        if (_unsent == 0) return null;
        _allSent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _allSent.Task;
    }

    /// <summary>On the loop: nothing more is sent; what was to be is dropped.</summary>
    public void Break()
    {
        _isBroken = true;
        Drop();
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
        while (_unsent > 0 && !_isBlocked && !_isBroken)
        {
            var asked = SendOnce(out var sent);
            if (sent > 0) Sent(sent);
            if (sent < asked && (sent >= 0 || !Failed())) WaitUntilWritable();
        }

        if (_unsent == 0 && _head is not null) Drop();
        if (_isWaiting && _unsent <= PauseBytes / 2) EndWaiting(isCanceled: false);
        if (_isCompleted && _unsent == 0) Finish();
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private ForeignBytes Foreign => _foreign ??= new ForeignBytes();

    /// <summary>The block to write into.</summary>
    private Block Tail(int sizeHint)
    {
        if (_foreign is not null) TakeForeign();
        if (_tail is null || _tail.Room < Math.Max(sizeHint, 1)) Enqueue(_loop.Blocks.Rent(sizeHint));
        return _tail!;
    }

    private void Wrote(int bytes)
    {
        if (_tail is null || bytes > _tail.Room) throw new ArgumentOutOfRangeException(nameof(bytes));
        _tail.End += bytes;
        _unsent += bytes;
    }

    private void Enqueue(Block block)
    {
        if (_tail is null) _head = block;
        else _tail.Behind = block;
        _tail = block;
    }

    /// <summary>Owns the block from here on.</summary>
    private void Take(Block block)
    {
        var bytes = block.Length;
        _unsent += bytes;
        if (_tail is not null && bytes <= CopiedBytes && bytes <= _tail.Room)
        {
            _tail.Append(block.Bytes);
            _loop.Blocks.Return(block);
        }
        else
        {
            Enqueue(block);
        }
    }

    private void TakeForeign()
    {
        var foreign = _foreign!;
        _foreign = null;
        Append(foreign.Bytes);
    }

    /// <summary>On the loop. False: it must wait.</summary>
    private bool FlushOnLoop()
    {
        if (_foreign is not null) TakeForeign();
        if (_isBroken) Drop();
        else if (_unsent > PauseBytes) TrySend();
        else if (_unsent > 0) SendLater();
        return _unsent <= PauseBytes;
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

    /// <summary>From another thread: the loop does it, and completes it.</summary>
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
        if (_foreign is not null) TakeForeign();
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

    /// <summary>One call for all there is. Returns how much that is; <paramref name="sent"/> is -1 when it failed.</summary>
    private unsafe long SendOnce(out long sent)
    {
        var head = _head!;
        if (head == _tail)
        {
            sent = Libc.Send(fd, head.Pointer + head.Start, (nuint)head.Length, Libc.NoSignal);
            return head.Length;
        }

        var vectors = stackalloc Libc.Vector[MaxVectors];
        var count = 0;
        long asked = 0;
        for (var block = head; block is not null && count < MaxVectors; block = block.Behind)
        {
            vectors[count++] = new Libc.Vector { Bytes = block.Pointer + block.Start, Length = (nuint)block.Length };
            asked += block.Length;
        }

        var message = new Libc.MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        sent = Libc.SendMessage(fd, &message, Libc.NoSignal);
        return asked;
    }

    /// <summary>False when the kernel only takes no more for now.</summary>
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

    private void Sent(long bytes)
    {
        _unsent -= bytes;
        while (_head is { } head)
        {
            var part = (int)Math.Min(bytes, head.Length);
            head.Start += part;
            bytes -= part;
            if (head.Length > 0) return;
            ReleaseHead();
        }
    }

    private void Drop()
    {
        while (_head is not null) ReleaseHead();
        _unsent = 0;
    }

    private void ReleaseHead()
    {
        var head = _head!;
        _head = head.Behind;
        if (_head is null) _tail = null;
        _loop.Blocks.Return(head);
    }
}
