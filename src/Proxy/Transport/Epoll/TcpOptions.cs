using KeyEvt.Proxy.Transport.Posix;
using KeyEvt.Proxy.Transport.Sockets;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// Which options does every TCP connection have? An accepted connection inherits them from its listening socket. The same as
/// <see cref="SocketTransport.Configure"/> sets.
/// </summary>
internal static class TcpOptions
{
    private const int Socket = 1;
    private const int KeepAlive = 9;
    private const int Tcp = 6;
    private const int NoDelay = 1;
    private const int KeepIdle = 4;
    private const int KeepInterval = 5;
    private const int KeepCount = 6;

    public static void Set(int fd, int keepAliveSeconds)
    {
        Libc.SetOption(fd, Tcp, NoDelay, 1);
        if (keepAliveSeconds == 0) return;
        Libc.SetOption(fd, Socket, KeepAlive, 1);
        Libc.SetOption(fd, Tcp, KeepIdle, keepAliveSeconds);
        Libc.SetOption(fd, Tcp, KeepInterval, Math.Max(1, keepAliveSeconds / 3));
        Libc.SetOption(fd, Tcp, KeepCount, 3);
    }
}
