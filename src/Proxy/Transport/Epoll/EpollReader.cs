using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// A socket's received bytes as a pipe. There is no loop that fills it: a read receives, at once when the socket is known to have something,
/// else when epoll says so. A block is taken for a receive and given back when its bytes are used up, so an idle connection holds none.
/// <para>
/// The buffer belongs to the consumer between a read's result and <see cref="AdvanceTo(SequencePosition, SequencePosition)"/>, and to the loop while a read
/// is waiting; so neither needs a lock.
/// </para>
/// <para>
/// One read waits at a time, and nobody enters while the relay has a block: neither it nor what it calls. Both are asserted always, as a second one would tear the
/// first one's bytes apart.
/// </para>
/// </summary>
internal sealed class EpollReader(EpollConnection connection) : BlockReader, IValueTaskSource<ReadResult>
{
    /// <summary>Less than this in the last block: the next receive gets a new one.</summary>
    private const int MinRoom = BlockPool.BlockBytes / 4;

    /// <summary>Receives of one connection in one turn; then the others have theirs.</summary>
    private const int ReceivesPerTurn = 16;

    private readonly EpollLoop _loop = connection.Loop;
    private ManualResetValueTaskSourceCore<ReadResult> _source;
    private CancellationTokenRegistration _cancellation;
    private CancellationToken _token;

    /// <summary>Of the read that waits.</summary>
    private ZeroCopyForwarder? _relay;
    private Block? _head;
    private Block? _tail;

    /// <summary>Bytes that the consumer has not looked at.</summary>
    private bool _hasUnexamined;

    /// <summary>A read waits for the loop. Only the loop's thread touches it.</summary>
    private bool _isWaiting;

    /// <summary>The relay is at work.</summary>
    private bool _isRelaying;
    private bool _isCancelled;

    /// <summary>FIN has been received, or this side has ended it.</summary>
    private bool _isEnded;
    private int _errno;
    private int _turn;
    private int _receives;

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

    public override ValueTask<ReadResult> ReadAsync(ZeroCopyForwarder relay)
    {
        if (!_loop.IsCurrent) return ReadSlowAsync(CancellationToken.None);
        DemandNobodyReads();
        if (TryTake(relay, out var result)) return new ValueTask<ReadResult>(result);
        _source.Reset();
        _relay = relay;
        BeginWaiting();
        return new ValueTask<ReadResult>(this, _source.Version);
    }

    /// <summary>Only what is there already; on another thread than the loop's nothing ever is.</summary>
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

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_head is null || _tail is null) return;
        _hasUnexamined = examined.GetObject() != _tail || examined.GetInteger() != _tail.End;
        var block = (Block)consumed.GetObject()!;
        while (_head != block) ReleaseHead();
        _head.Start = consumed.GetInteger();
        while (_head is { Length: 0 }) ReleaseHead();
    }

    /// <summary>Instead of advancing to the end: takes the whole buffer out, as blocks that follow one another. The caller owns them.</summary>
    public Block? TakeAll()
    {
        var head = _head;
        _head = _tail = null;
        _hasUnexamined = false;
        return head;
    }

    /// <summary>Nothing more can come.</summary>
    public bool HasEnded => _isEnded;

    public override void CancelPendingRead()
    {
        if (_loop.IsCurrent) CancelOnLoop();
        else _loop.TryPost(static reader => ((EpollReader)reader).CancelOnLoop(), this);
    }

    /// <summary>By the consumer, or when nobody reads any more.</summary>
    public override void Complete(Exception? exception = null)
    {
        while (_head is not null) ReleaseHead();
    }

    /// <summary>On the loop: the socket may have something. True when a waiting read was completed.</summary>
    public bool OnReadable()
    {
        DemandNoRelay();
        if (!_isWaiting) return false;
        ReadResult result;
        try
        {
            if (!TryTake(_relay, out result))
            {
                WaitForMore();
                return false;
            }
        }
        catch (Exception e)
        {
            // broken; or a relay's fault, which is its session's alone
            EndWaiting();
            _source.SetException(e);
            return true;
        }

        EndWaiting();
        _source.SetResult(result);
        return true;
    }

    /// <summary>On the loop: the socket is about to be closed. Unread bytes would make that a reset, and the peer could lose what was sent to it last.</summary>
    public unsafe void Discard()
    {
        var block = connection.IsReadable ? _loop.Blocks.Rent() : null;
        if (block is null) return;
        for (var i = 0; i < ReceivesPerTurn && Libc.Receive(connection.Fd, block.Pointer, (nuint)block.Capacity, 0) > 0; i++)
        {
            // a peer that sends without end is reset
        }

        _loop.Blocks.Return(block);
    }

    /// <summary>On the loop: this side receives no more.</summary>
    public void End()
    {
        _isEnded = true;
        OnReadable();
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    /// <summary>From another thread, or with a token: the loop does it, and completes it.</summary>
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
        else if (!OnReadable() && _head is not null) Shrink(_head);
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

    /// <summary>A read has nothing to return: the loop goes on with it, in the next turn if this one's share is used up.</summary>
    private void WaitForMore()
    {
        if (_head is not null) Shrink(_head);
        if (connection.IsReadable) _loop.CallInNextTurn(connection);
    }

    private void EndWaiting()
    {
        _isWaiting = false;
        _relay = null;
        if (!_token.CanBeCanceled) return;
        _cancellation.Unregister();
        _token = default;
    }

    private void CancelOnLoop()
    {
        DemandNoRelay();
        _isCancelled = true;
        if (!_isWaiting) return;
        EndWaiting();
        _isCancelled = false;
        _source.SetResult(new ReadResult(Buffer(), isCanceled: true, isCompleted: _isEnded));
    }

    /// <summary>What is left for a read when the relay has had its turn; false when it must wait.</summary>
    /// <exception cref="IOException">The connection has broken.</exception>
    private bool TryTake(ZeroCopyForwarder? relay, out ReadResult result)
    {
        while (relay is not null && _head is null && !_isCancelled && !_isEnded && _errno == 0)
        {
            var block = Receive(null);
            if (block is null) break;
            var step = Pass(relay, block);
            if (step == ForwardResult.Forwarded)
            {
                if (connection.IsReadable) continue;
                result = default;
                return false;
            }

            if (step == ForwardResult.NotTaken) Append(block);
            result = new ReadResult(Buffer(), isCanceled: false, isCompleted: false);
            return true;
        }

        return TryTake(out result);
    }

    private ForwardResult Pass(ZeroCopyForwarder relay, Block block)
    {
        _isRelaying = true;
        try
        {
            return relay.TryForward(block);
        }
        finally
        {
            _isRelaying = false;
        }
    }

    /// <summary>What a read returns, receiving it if need be; false when it must wait.</summary>
    /// <exception cref="IOException">The connection has broken.</exception>
    private bool TryTake(out ReadResult result)
    {
        if (!_hasUnexamined && !_isEnded && !_isCancelled && _errno == 0 && !TryReceive())
        {
            result = default;
            return false;
        }

        if (_errno != 0) ThrowBroken(_errno);
        result = new ReadResult(Buffer(), _isCancelled, _isEnded);
        _isCancelled = false;
        return true;
    }

    /// <summary>Behind what is there already. False when nothing has come.</summary>
    private bool TryReceive()
    {
        var block = Receive(_tail is { Room: >= MinRoom } ? _tail : null);
        if (block is null) return _isEnded || _errno != 0;
        if (block != _tail) Append(block);
        return true;
    }

    /// <summary>
    /// One receive, into this block or a new one, which it returns. One that takes less than it could has emptied the socket, and more will be said by a new event: that saves
    /// the receive which would only say EAGAIN (epoll(7), question 9). Null when nothing is there, or the end, or an error, which are noted.
    /// </summary>
    private unsafe Block? Receive(Block? into)
    {
        while (connection.IsReadable && MayReceive())
        {
            var block = into ?? _loop.Blocks.Rent();
            var room = block.Room;
            var count = (int)Libc.Receive(connection.Fd, block.Pointer + block.End, (nuint)room, 0);
            if (count > 0)
            {
                block.End += count;
                connection.IsReadable = count == room || connection.IsHungUp;
                return block;
            }

            var errno = count == 0 ? 0 : Marshal.GetLastSystemError();
            if (block != into) _loop.Blocks.Return(block);
            if (errno == Errno.Interrupted) continue;
            if (errno == Errno.Again)
            {
                connection.IsReadable = false;
                return null;
            }

            const int ConnectionReset = 104;
            _errno = errno != 0 ? errno : connection.IsReset ? ConnectionReset : 0;
            _isEnded = _errno == 0;
            return null;
        }

        return null;
    }

    private bool MayReceive()
    {
        if (_turn != _loop.TurnNumber) (_turn, _receives) = (_loop.TurnNumber, 0);
        return _receives++ < ReceivesPerTurn;
    }

    private void Append(Block block)
    {
        if (_tail is null) _head = block;
        else _tail.Follow(block);
        _tail = block;
    }

    private ReadOnlySequence<byte> Buffer() => _head is null ? default : new ReadOnlySequence<byte>(_head, _head.Start, _tail!, _tail!.End);

    /// <summary>The consumer's own thread; on another than the loop's the block goes to the garbage collector.</summary>
    private void ReleaseHead()
    {
        var block = _head!;
        _head = block.Following;
        if (_head is null) _tail = null;
        if (_loop.IsCurrent) _loop.Blocks.Return(block);
    }

    /// <summary>The beginning of a request may lie here for long: a small block will do for that.</summary>
    private void Shrink(Block head)
    {
        if (head != _tail || head.Length > BlockPool.SmallBytes || head.Capacity <= BlockPool.SmallBytes) return;
        var small = _loop.Blocks.RentSmall();
        small.Append(head.Bytes);
        _loop.Blocks.Return(head);
        _head = _tail = small;
    }

    private void DemandNobodyReads()
    {
        if (_isWaiting || _isRelaying) ThrowEntered();
    }

    private void DemandNoRelay()
    {
        if (_isRelaying) ThrowEntered();
    }

    [DoesNotReturn]
    private static void ThrowEntered() => throw new InvalidOperationException("A reader was entered while a read of it was at work.");

    [DoesNotReturn]
    private static void ThrowBroken(int errno)
    {
        var cause = Errno.ToException(errno);
        throw new IOException(cause.Message, cause);
    }

    /// <summary>A token was cancelled while its read, perhaps, waited.</summary>
    private sealed record CancelledRead(EpollReader Reader, short Version)
    {
        public void Run()
        {
            if (Reader._isWaiting && Reader._source.Version == Version) Reader.FailCancelled();
        }
    }
}
