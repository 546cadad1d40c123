using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>One connection that is being made. The connect does not wait; epoll reports its outcome. Made and used on the loop's thread.</summary>
internal sealed class EpollConnector : LoopHandler
{
    private readonly EpollLoop _loop;
    private readonly ConnectTarget _target;
    private readonly CancellationToken _token;
    private readonly TaskCompletionSource<IConnection> _connected = new(); // its continuations run on the loop
    private CancellationTokenRegistration _cancellation;
    private int _fd = -1;

    private EpollConnector(EpollLoop loop, ConnectTarget target, CancellationToken token) => (_loop, _target, _token) = (loop, target, token);

    /// <returns>
    /// The connection. The task faults with a <see cref="SocketException"/> if the connect is refused, the address is unreachable, or there are no descriptors
    /// left.
    /// </returns>
    public static Task<IConnection> ConnectAsync(EpollLoop loop, ConnectTarget target, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<IConnection>(cancellationToken);
        var connector = new EpollConnector(loop, target, cancellationToken);
        connector.Begin(target.Bytes.Span);
        return connector._connected.Task;
    }

    public override void OnEvents(uint events)
    {
        if ((events & (Libc.Out | Libc.Error | Libc.HangUp)) == 0) return;
        const uint Failed = Libc.Error | Libc.HangUp; // epoll reports a failed connect by one of these
        if ((events & Failed) != 0 && Libc.TakeError(_fd) is not 0 and var errno) End(Errno.ToException(errno));
        else Connected(isRegistered: true);
    }

    public override void OnLoopEnded()
    {
        _ = Libc.Close(_fd);
        _connected.TrySetException(new SocketException((int)SocketError.OperationAborted));
    }

    private unsafe void Begin(ReadOnlySpan<byte> address)
    {
        _fd = Libc.Socket(FamilyOf(address), Libc.StreamSocket | Libc.NonBlocking | Libc.CloseOnExec, 0);
        if (_fd < 0)
        {
            _connected.SetException(Errno.ToException(Marshal.GetLastSystemError()));
            return;
        }

        if (_target.IsTcp) TcpOptions.Set(_fd, _loop.KeepAliveSeconds);
        int result;
        fixed (byte* bytes = address) result = Libc.Connect(_fd, bytes, (uint)address.Length);
        var errno = result < 0 ? Marshal.GetLastSystemError() : 0;
        if (errno == 0)
        {
            Connected(isRegistered: false);
            return;
        }

        if (errno is not (Errno.InProgress or Errno.Interrupted))
        {
            _ = Libc.Close(_fd);
            _connected.SetException(Errno.ToException(errno));
            return;
        }

        if (!TryAdd(this, Libc.In | Libc.PeerHangUp | Libc.Out)) return;
        if (!_token.CanBeCanceled) return;
        _cancellation = _token.UnsafeRegister(
            static connector => ((EpollConnector)connector!)._loop.TryPost(static state => ((EpollConnector)state).End(new OperationCanceledException(((EpollConnector)state)._token)), connector), this);
    }

    /// <summary>The address family as the kernel numbers it, which is the beginning of the address. The runtime's own enum has other numbers.</summary>
    private static int FamilyOf(ReadOnlySpan<byte> address) => MemoryMarshal.Read<ushort>(address);

    private void Connected(bool isRegistered)
    {
        _cancellation.Unregister();
        var connection = new EpollConnection(_loop, _fd, _target.Name, _target.IsTcp, wasAccepted: false);
        if (isRegistered) _loop.Replace(this, connection);
        else if (!TryAdd(connection, connection.Interest)) return;
        if (!_connected.TrySetResult(connection)) throw new InvalidOperationException("a connect has ended twice");
    }

    /// <summary>Registers a descriptor with the loop. False: the loop cannot watch it; the descriptor is closed and the connect has failed.</summary>
    private bool TryAdd(LoopHandler handler, uint events)
    {
        try
        {
            _loop.Add(handler, _fd, events);
            return true;
        }
        catch (SocketException e)
        {
            _ = Libc.Close(_fd);
            _connected.SetException(e);
            return false;
        }
    }

    private void End(Exception exception)
    {
        if (Slot < 0 || _connected.Task.IsCompleted) return;
        _cancellation.Unregister();
        _loop.Remove(this, _fd);
        _connected.TrySetException(exception);
    }
}
