using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport;

/// <summary>How is an address taken, and given back? A bound and listening TCP or unix socket, whoever accepts from it.</summary>
internal sealed class ListeningSocket : IDisposable
{
    /// <summary>Redis' own tcp-backlog.</summary>
    private const int Backlog = 511;

    private readonly UnixSocketFile? _file;
    private readonly bool _hasOwnPort;

    private int Descriptor => Socket.SafeHandle.DangerousGetHandle().ToInt32();

    /// <exception cref="SocketException">The address cannot be taken.</exception>
    /// <exception cref="SocketPathException">Something else stands at the path of a unix socket.</exception>
    public ListeningSocket(TransportAddress address, SocketSettings settings)
    {
        _file = address.UnixPath is { } path ? new UnixSocketFile(path) : null;
        _hasOwnPort = _file is null && address.Port != 0;
        Socket = _file?.Bind(settings.UnixSocketMode) ?? BindTcp(address.ToEndPoint());
        try
        {
            Socket.Listen(Backlog);
        }
        catch
        {
            Dispose();
            throw;
        }

        Address = Socket.LocalEndPoint is IPEndPoint bound ? bound.ToString() : address.ToString();
    }

    public Socket Socket { get; }

    public bool IsTcp => _file is null;

    /// <summary>As clients may name it, with the port that was really taken.</summary>
    public string Address { get; }

    /// <summary>A unix socket that was shut down never listens again, and a port that the kernel has chosen is given back.</summary>
    public bool CanRefuse => _hasOwnPort && RelistenSupport.Works;

    /// <summary>
    /// Shutting down a listening socket makes it one that is bound and nothing else. SO_REUSEADDR would let another program listen on the port meanwhile; so it is taken away, and given back
    /// in time for connections that are accepted later: they keep it, and would keep a restarted program from binding.
    /// </summary>
    public void Refuse()
    {
        Libc.ReuseAddress(Descriptor, false);
        _ = Libc.Shutdown(Descriptor, Libc.ShutdownBoth);
    }

    /// <exception cref="SocketException">The kernel does not want to.</exception>
    public void RefuseNoMore()
    {
        Libc.ReuseAddress(Descriptor, true);
        if (Libc.Listen(Descriptor, Backlog) < 0) throw Errno.ToException(Marshal.GetLastSystemError());
    }

    public void Dispose()
    {
        Socket.Dispose();
        _file?.Remove();
    }

    private static Socket BindTcp(EndPoint endPoint)
    {
        if (endPoint is DnsEndPoint dns) endPoint = new IPEndPoint(Dns.GetHostAddresses(dns.Host)[0], dns.Port);
        var socket = SocketFactory.Create(endPoint);
        try
        {
            socket.Bind(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
