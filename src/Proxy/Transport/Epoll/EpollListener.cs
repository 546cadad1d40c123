using System.Runtime.InteropServices;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// A listening socket on the first loop. Accepts one connection per call and gives it to the loops one after the other. The call completes on the connection's
/// loop, so the session begins on the thread that its connection belongs to.
/// </summary>
internal sealed class EpollListener : LoopHandler, IConnectionListener
{
    /// <summary>How many connections are accepted in one turn of the loop. After that, other descriptors are served.</summary>
    private const int AcceptsPerTurn = 32;

    private readonly ListeningSocket _socket;
    private readonly EpollLoop[] _loops;
    private readonly int _fd;

    /// <summary>The fields from here on are used on the first loop's thread only.</summary>
    private int _nextLoop;
    private int _turn;
    private int _accepts;
    private int _lastFd;

    /// <summary>Somebody may wait to be accepted.</summary>
    private bool _isReadable = true;
    private bool _isDisposed;
    private TaskCompletionSource<IConnection>? _accepting;

    public EpollListener(ListeningSocket socket, EpollLoop[] loops)
    {
        (_socket, _loops, _fd) = (socket, loops, (int)socket.Socket.SafeHandle.DangerousGetHandle());
        socket.Socket.Blocking = false;
        if (socket.IsTcp) TcpOptions.Set(_fd, Loop.KeepAliveSeconds);
        Loop.TryPost(static listener => ((EpollListener)listener).Register(), this);
    }

    public string Address => _socket.Address;

    public bool CanRefuse => _socket.CanRefuse;

    public void Refuse() => _socket.Refuse();

    public void RefuseNoMore() => _socket.RefuseNoMore();

    private EpollLoop Loop => _loops[0];

    public ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        if (Loop.IsCurrent && _loops.Length == 1 && !cancellationToken.IsCancellationRequested && MayAccept() && TryAccept(out var fd, out var peer))
        {
            return ValueTask.FromResult<IConnection>(Adopt(Loop, fd, peer));
        }

        return new ValueTask<IConnection>(AcceptSlowAsync(cancellationToken));
    }

    public override void OnEvents(uint events)
    {
        _isReadable = true;
        Continue();
    }

    public override void OnNextTurn() => Continue();

    public async ValueTask DisposeAsync()
    {
        if (await Loop.SwitchAsync() && !_isDisposed)
        {
            _isDisposed = true;
            if (Slot >= 0) Loop.Remove(this, fd: -1);
            _accepting?.TrySetException(Errno.ToException(125)); // ECANCELED
        }

        _socket.Dispose();
    }

    public override void OnLoopEnded() => _accepting?.TrySetException(Errno.ToException(125));

    private void Register()
    {
        try
        {
            Loop.Add(this, _fd, Libc.In);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // tried again when somebody calls AcceptAsync, who then gets the exception
        }
    }

    private async Task<IConnection> AcceptSlowAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var accepting = new TaskCompletionSource<IConnection>(); // its continuations run on the connection's loop
        await using var cancellation = cancellationToken.UnsafeRegister(static (source, token) => ((TaskCompletionSource<IConnection>)source!).TrySetCanceled(token), accepting).ConfigureAwait(false);
        if (Loop.IsCurrent) Begin(accepting);
        else if (!Loop.TryPost(static state => ((Accepting)state).Begin(), new Accepting(this, accepting))) throw Errno.ToException(125);
        return await accepting.Task.ConfigureAwait(false);
    }

    private void Begin(TaskCompletionSource<IConnection> accepting)
    {
        if (_isDisposed)
        {
            accepting.TrySetException(Errno.ToException(125));
            return;
        }

        try
        {
            if (Slot < 0) Loop.Add(this, _fd, Libc.In);
            _accepting = accepting;
            Continue();
        }
        catch (System.Net.Sockets.SocketException e)
        {
            accepting.TrySetException(e);
        }
    }

    /// <summary>On the first loop: gives the next connection to the pending call, if there is one.</summary>
    private void Continue()
    {
        if (_accepting is not { } accepting) return;
        if (accepting.Task.IsCompleted)
        {
            _accepting = null;
            return;
        }

        if (!MayAccept())
        {
            Loop.CallInNextTurn(this);
            return;
        }

        try
        {
            if (!TryAccept(out var fd, out var peer)) return;
            _accepting = null;
            Hand(accepting, fd, peer);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            _accepting = null;
            accepting.TrySetException(e);
        }
    }

    private void Hand(TaskCompletionSource<IConnection> accepting, int fd, PeerAddress peer)
    {
        var loop = _loops[_nextLoop++ % _loops.Length];
        var accepted = new Accepted(this, loop, accepting, fd, peer);
        if (loop.IsCurrent) accepted.Hand();
        else if (!loop.TryPost(static state => ((Accepted)state).Hand(), accepted)) _ = Libc.Close(fd);
    }

    /// <exception cref="System.Net.Sockets.SocketException">The loop cannot watch the socket, which is closed then.</exception>
    private EpollConnection Adopt(EpollLoop loop, int fd, PeerAddress peer)
    {
        var connection = _socket.IsTcp ? new EpollConnection(loop, fd, peer) : new EpollConnection(loop, fd, Address, isTcp: false, wasAccepted: true);
        try
        {
            loop.Add(connection, fd, connection.Interest);
            return connection;
        }
        catch
        {
            _ = Libc.Close(fd);
            throw;
        }
    }

    private bool MayAccept()
    {
        if (_turn != Loop.TurnNumber) (_turn, _accepts) = (Loop.TurnNumber, 0);
        return _accepts++ < AcceptsPerTurn;
    }

    /// <exception cref="System.Net.Sockets.SocketException">See <see cref="Listen.AcceptErrors"/>.</exception>
    private unsafe bool TryAccept(out int fd, out PeerAddress peer)
    {
        const int AddressBytes = 128;
        var address = stackalloc byte[AddressBytes];
        uint length = AddressBytes;
        peer = default;
        fd = -1;
        if (!_isReadable) return false;
        DescriptorReserve.ThrowIfScarce(_lastFd);
        do fd = Libc.Accept(_fd, address, &length, Libc.NonBlocking | Libc.CloseOnExec);
        while (fd < 0 && Marshal.GetLastSystemError() == Errno.Interrupted);
        if (fd >= 0)
        {
            _lastFd = fd;
            if (_socket.IsTcp) peer = new PeerAddress(new ReadOnlySpan<byte>(address, AddressBytes));
            return true;
        }

        var errno = Marshal.GetLastSystemError();
        if (errno != Errno.Again) throw Errno.ToException(errno);
        _isReadable = false;
        return false;
    }

    private sealed record Accepting(EpollListener Listener, TaskCompletionSource<IConnection> Source)
    {
        public void Begin() => Listener.Begin(Source);
    }

    /// <summary>A new connection on its way from the first loop to its own loop.</summary>
    private sealed record Accepted(EpollListener Listener, EpollLoop Loop, TaskCompletionSource<IConnection> Source, int Fd, PeerAddress Peer)
    {
        public void Hand()
        {
            EpollConnection connection;
            try
            {
                connection = Listener.Adopt(Loop, Fd, Peer);
            }
            catch (System.Net.Sockets.SocketException e)
            {
                Source.TrySetException(e);
                return;
            }

            if (Source.TrySetResult(connection)) return;
            connection.ResetPeer(); // the call was cancelled, so nobody waits for the connection
            Loop.Observe(connection.DisposeAsync().AsTask());
        }
    }
}
