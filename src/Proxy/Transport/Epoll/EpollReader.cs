using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// The bytes that a socket receives, as a pipe. No loop of its own fills the pipe. A read itself receives: at once if the socket is known to have something,
/// otherwise when epoll says so. A block is rented for a receive and given back when its bytes are used up, so an idle connection holds none.
/// <para>
/// Between a read's result and <see cref="AdvanceTo(SequencePosition, SequencePosition)"/> the buffer belongs to the consumer. While a read waits, it belongs
/// to the loop. So neither side needs a lock.
/// </para>
/// <para>
/// Only one read may wait at a time. While the forwarder has a block, neither the forwarder nor anything that it calls may use the reader. Both rules are
/// always checked, since a second read would take bytes out of the middle of the first.
/// </para>
/// </summary>
internal sealed class EpollReader(EpollConnection connection) : BlockReader, IValueTaskSource<ReadResult>
{
    private readonly EpollLoop _loop = connection.Loop;

    /// <summary>
    /// The three fields of the waiting read. On another thread than the loop's, <see cref="ReadSlowAsync"/> sets them before it posts the read to the loop;
    /// everything else is done by the loop.
    /// </summary>
    private ManualResetValueTaskSourceCore<ReadResult> _source;
    private CancellationTokenRegistration _cancellation;
    private CancellationToken _token;

    /// <summary>The forwarder that the waiting read was given; null if it was given none.</summary>
    private ZeroCopyForwarder? _forwarder;
    private ReceivedBlocks _received = new(connection.Loop);
    private SocketReceiver _socket = new(connection);

    /// <summary>A read waits for the loop. This field and the two below are used on the loop's thread only.</summary>
    private bool _isWaiting;
    private bool _isForwarding;
    private bool _isCancelled;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.CanBeCanceled || !_loop.IsCurrent) return ReadSlowAsync(cancellationToken);
        DemandNobodyReads();
        if (TryTake(out var result)) return new ValueTask<ReadResult>(result);
        _source.Reset();
        BeginWaiting();
        return new ValueTask<ReadResult>(this, _source.Version);
    }

    public override object Owner => _loop;

    public override ValueTask<ReadResult> ReadAsync(ZeroCopyForwarder forwarder)
    {
        if (!_loop.IsCurrent) return ReadSlowAsync(CancellationToken.None);
        DemandNobodyReads();
        if (TryTake(forwarder, out var result)) return new ValueTask<ReadResult>(result);
        _source.Reset();
        _forwarder = forwarder;
        BeginWaiting();
        return new ValueTask<ReadResult>(this, _source.Version);
    }

    /// <summary>Returns only bytes that can be had without waiting. On another thread than the loop's it always finds nothing.</summary>
    public override bool TryRead(out ReadResult result)
    {
        if (_loop.IsCurrent)
        {
            DemandNobodyReads();
            return TryTake(out result);
        }

        result = default;
        return false;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _received.AdvanceTo(consumed, examined);

    /// <summary>Takes the whole buffer out, instead of advancing to its end; see <see cref="ReceivedBlocks.TakeAll"/>.</summary>
    public Block? TakeAll() => _received.TakeAll();

    /// <summary>Nothing more can come.</summary>
    public bool HasEnded => _socket.HasEnded;

    public override void CancelPendingRead()
    {
        if (_loop.IsCurrent) CancelOnLoop();
        else _loop.TryPost(static reader => ((EpollReader)reader).CancelOnLoop(), this);
    }

    /// <summary>Called by the consumer, or when nobody reads any more.</summary>
    public override void Complete(Exception? exception = null) => _received.ReleaseAll();

    /// <summary>On the loop: called when the socket may have something. Returns true when it has completed a waiting read.</summary>
    public bool OnReadable()
    {
        DemandNotForwarding();
        if (!_isWaiting) return false;
        ReadResult result;
        try
        {
            if (!TryTake(_forwarder, out result))
            {
                WaitForMore();
                return false;
            }
        }
        catch (Exception e)
        {
            // Either the connection is broken, or the forwarder has failed. Both end only the session of this connection.
            EndWaiting();
            _source.SetException(e);
            return true;
        }

        EndWaiting();
        _source.SetResult(result);
        return true;
    }

    /// <summary>On the loop, when the socket is about to be closed; see <see cref="SocketReceiver.Discard"/>.</summary>
    public void Discard() => _socket.Discard();

    /// <summary>On the loop: this side receives no more.</summary>
    public void End()
    {
        _socket.End();
        OnReadable();
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    /// <summary>A read from another thread, or with a cancellation token. The loop begins it and completes it.</summary>
    private ValueTask<ReadResult> ReadSlowAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_loop.IsCurrent) DemandNobodyReads();
        _source.Reset();
        if (cancellationToken.CanBeCanceled)
        {
            _token = cancellationToken;
            _cancellation = cancellationToken.UnsafeRegister(
                static cancelled => ((CancelledRead)cancelled!).Reader._loop.TryPost(static state => ((CancelledRead)state).Run(), cancelled), new CancelledRead(this, _source.Version));
        }

        return _loop.TryPost(static reader => ((EpollReader)reader).BeginPostedRead(), this)
            ? new ValueTask<ReadResult>(this, _source.Version)
            : new ValueTask<ReadResult>(new ReadResult(default, isCanceled: false, isCompleted: true));
    }

    private void BeginPostedRead()
    {
        DemandNobodyReads();
        _isWaiting = true;
        if (_token.IsCancellationRequested) FailCancelled();
        else if (!OnReadable()) _received.Shrink();
    }

    private void FailCancelled()
    {
        var token = _token;
        EndWaiting();
        _source.SetException(new OperationCanceledException(token));
    }

    private void BeginWaiting()
    {
        _isWaiting = true;
        WaitForMore();
    }

    /// <summary>
    /// Called when the read has nothing to return yet. If the socket may still have something, the connection has used up its share of this turn, and goes on
    /// in the next one.
    /// </summary>
    private void WaitForMore()
    {
        _received.Shrink();
        if (connection.IsReadable) _loop.CallInNextTurn(connection);
    }

    private void EndWaiting()
    {
        _isWaiting = false;
        _forwarder = null;
        if (!_token.CanBeCanceled) return;
        _cancellation.Unregister();
        _token = default;
    }

    private void CancelOnLoop()
    {
        DemandNotForwarding();
        _isCancelled = true;
        if (!_isWaiting) return;
        EndWaiting();
        _isCancelled = false;
        _source.SetResult(new ReadResult(_received.Bytes, isCanceled: true, isCompleted: _socket.HasEnded));
    }

    /// <summary>Offers what is received to the forwarder, and returns what the forwarder does not take. False: the read must wait.</summary>
    /// <exception cref="IOException">The connection has broken.</exception>
    private bool TryTake(ZeroCopyForwarder? forwarder, out ReadResult result)
    {
        while (forwarder is not null && _received.IsEmpty && !_isCancelled && _socket.IsOpen)
        {
            var block = _socket.Receive(null);
            if (block is null) break;
            var step = Forward(forwarder, block);
            if (step == ForwardResult.Forwarded)
            {
                if (connection.IsReadable) continue;
                result = default;
                return false;
            }

            if (step == ForwardResult.NotTaken) _received.Append(block);
            result = new ReadResult(_received.Bytes, isCanceled: false, isCompleted: false);
            return true;
        }

        return TryTake(out result);
    }

    private ForwardResult Forward(ZeroCopyForwarder forwarder, Block block)
    {
        _isForwarding = true;
        try
        {
            return forwarder.TryForward(block);
        }
        finally
        {
            _isForwarding = false;
        }
    }

    /// <summary>What a read returns. Receives if nothing is there. False: the read must wait.</summary>
    /// <exception cref="IOException">The connection has broken.</exception>
    private bool TryTake(out ReadResult result)
    {
        if (!_received.HasUnexamined && !_isCancelled && _socket.IsOpen && !TryReceive())
        {
            result = default;
            return false;
        }

        _socket.ThrowIfBroken();
        result = new ReadResult(_received.Bytes, _isCancelled, _socket.HasEnded);
        _isCancelled = false;
        return true;
    }

    /// <summary>Receives into the buffer, behind what is there. False: neither bytes nor the end nor an error has come.</summary>
    private bool TryReceive()
    {
        if (_socket.Receive(_received.WithRoom) is not { } block) return !_socket.IsOpen;
        _received.Append(block);
        return true;
    }

    private void DemandNobodyReads()
    {
        if (_isWaiting || _isForwarding) ThrowEntered();
    }

    private void DemandNotForwarding()
    {
        if (_isForwarding) ThrowEntered();
    }

    [DoesNotReturn]
    private static void ThrowEntered() => throw new InvalidOperationException("A reader was entered while a read of it was at work.");

    /// <summary>What the loop does when the token of a read was cancelled. By then another read may wait; the version tells.</summary>
    private sealed record CancelledRead(EpollReader Reader, short Version)
    {
        public void Run()
        {
            if (Reader._isWaiting && Reader._source.Version == Version) Reader.FailCancelled();
        }
    }
}
