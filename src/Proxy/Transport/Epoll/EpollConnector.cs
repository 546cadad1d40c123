using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>One connection on its way: a connect that does not wait, whose outcome epoll tells. Made and used on the loop's thread.</summary>
internal sealed class EpollConnector : LoopHandler
{
    private readonly EpollLoop _loop;
    private readonly string _name;
    private readonly bool _isTcp;
    private readonly CancellationToken _token;
    private readonly TaskCompletionSource<EpollConnection> _connected = new(); // continues on the loop
    private CancellationTokenRegistration _cancellation;
    private int _fd = -1;

    private EpollConnector(EpollLoop loop, string name, bool isTcp, CancellationToken token) => (_loop, _name, _isTcp, _token) = (loop, name, isTcp, token);

    /// <exception cref="SocketException">Refused, unreachable, no descriptors.</exception>
    public static Task<EpollConnection> ConnectAsync(EpollLoop loop, EndPoint endPoint, string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var connector = new EpollConnector(loop, name, endPoint is IPEndPoint, cancellationToken);
        connector.Begin(endPoint.Serialize());
        return connector._connected.Task;
    }

    public override void OnEvents(uint events)
    {
        if ((events & (Libc.Out | Libc.Error | Libc.HangUp)) == 0) return;
        if (Libc.TakeError(_fd) is not 0 and var errno) End(Errno.ToException(errno));
        else Connected(isRegistered: true);
    }

    public override void OnLoopEnded()
    {
        Libc.Close(_fd);
        _connected.TrySetException(new SocketException((int)SocketError.OperationAborted));
    }

    private unsafe void Begin(SocketAddress address)
    {
        _fd = Libc.Socket(FamilyOf(address), Libc.StreamSocket | Libc.NonBlocking | Libc.CloseOnExec, 0);
        if (_fd < 0) throw Errno.ToException(Marshal.GetLastSystemError());
        if (_isTcp) TcpOptions.Set(_fd, _loop.KeepAliveSeconds);
        int result;
        fixed (byte* bytes = address.Buffer.Span) result = Libc.Connect(_fd, bytes, (uint)address.Size);
        var errno = result < 0 ? Marshal.GetLastSystemError() : 0;
        if (errno == 0)
        {
            Connected(isRegistered: false);
            return;
        }

        if (errno is not (Errno.InProgress or Errno.Interrupted))
        {
            Libc.Close(_fd);
            throw Errno.ToException(errno);
        }

        _loop.Add(this, _fd, Libc.In | Libc.PeerHangUp | Libc.Out);
        if (!_token.CanBeCanceled) return;
        _cancellation = _token.UnsafeRegister(
            static connector => ((EpollConnector)connector!)._loop.TryPost(static state => ((EpollConnector)state).End(new OperationCanceledException(((EpollConnector)state)._token)), connector), this);
    }

    /// <summary>Where the address was made, the family is in the runtime's numbers; the kernel's stand in the address itself.</summary>
    private static int FamilyOf(SocketAddress address) => MemoryMarshal.Read<ushort>(address.Buffer.Span);

    private void Connected(bool isRegistered)
    {
        _cancellation.Unregister();
        var connection = new EpollConnection(_loop, _fd, _name, _isTcp);
        if (isRegistered) _loop.Replace(this, connection);
        else _loop.Add(connection, _fd, connection.Interest);
        if (!_connected.TrySetResult(connection)) throw new InvalidOperationException("a connect has ended twice");
    }

    private void End(Exception exception)
    {
        if (Slot < 0 || _connected.Task.IsCompleted) return;
        _cancellation.Unregister();
        _loop.Remove(this, _fd);
        _connected.TrySetException(exception);
    }
}
