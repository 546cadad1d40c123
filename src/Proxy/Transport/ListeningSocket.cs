using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport;

/// <summary>How is an address taken, and given back? A bound and listening TCP or unix socket, used by either transport.</summary>
internal sealed class ListeningSocket : IDisposable
{
    /// <summary>The same as Redis' own default of tcp-backlog.</summary>
    private const int Backlog = 511;

    private readonly UnixSocketFile? _file;
    private readonly bool _hasOwnPort;

    private int Descriptor => Socket.SafeHandle.DangerousGetHandle().ToInt32();

    /// <exception cref="SocketException">The address cannot be taken.</exception>
    /// <exception cref="SocketPathException">Something else is at the path of the unix socket.</exception>
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

    /// <summary>The address as clients may name it, with the port that was really taken.</summary>
    public string Address { get; }

    /// <summary>
    /// A unix socket that was shut down cannot listen again, and a port that the kernel has chosen is lost at the shutdown. So this takes a TCP port that was
    /// named.
    /// </summary>
    public bool CanRefuse => _hasOwnPort && RelistenSupport.Works;

    /// <summary>
    /// Shuts the listening socket down; it stays bound, and does nothing else. With SO_REUSEADDR another program could listen on the port meanwhile, so the
    /// option is switched off. <see cref="RefuseNoMore"/> switches it on again before anything is accepted: accepted connections inherit it, and without it
    /// they would keep a restarted program from binding.
    /// </summary>
    public void Refuse()
    {
        Libc.ReuseAddress(Descriptor, false);
        _ = Libc.Shutdown(Descriptor, Libc.ShutdownBoth);
    }

    /// <exception cref="SocketException">The kernel refuses to listen again.</exception>
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
