using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport.Posix;

/// <summary>Which address of this machine has the peer of a socket connected to?</summary>
internal static class LocalAddress
{
    /// <summary>Null: the socket has no address, or is closed already.</summary>
    public static IPAddress? Of(Socket socket)
    {
        try
        {
            return socket.LocalEndPoint is IPEndPoint { Address: var address } ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address : null;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }
}
