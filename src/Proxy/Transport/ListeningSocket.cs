using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport;

/// <summary>How is an address taken, and given back? A bound and listening TCP or unix socket, whoever accepts from it.</summary>
internal sealed class ListeningSocket : IDisposable
{
    /// <summary>Redis' own tcp-backlog.</summary>
    private const int Backlog = 511;

    private readonly UnixSocketFile? _file;

    /// <exception cref="SocketException">The address cannot be taken.</exception>
    /// <exception cref="SocketPathException">Something else stands at the path of a unix socket.</exception>
    public ListeningSocket(TransportAddress address, SocketSettings settings)
    {
        _file = address.UnixPath is { } path ? new UnixSocketFile(path) : null;
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

    public void Dispose()
    {
        Socket.Dispose();
        _file?.Remove();
    }

    private static Socket BindTcp(EndPoint endPoint)
    {
        if (endPoint is DnsEndPoint dns) endPoint = new IPEndPoint(Dns.GetHostAddresses(dns.Host)[0], dns.Port);
        var socket = SocketTransport.NewSocket(endPoint);
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
