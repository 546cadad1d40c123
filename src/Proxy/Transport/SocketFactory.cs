using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport;

/// <summary>Makes a stream socket of the kind that an address needs.</summary>
internal static class SocketFactory
{
    public static Socket Create(EndPoint endPoint) => endPoint switch
    {
        UnixDomainSocketEndPoint => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
        IPEndPoint ip => new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp),
        _ => new Socket(SocketType.Stream, ProtocolType.Tcp), // a name may resolve to either family
    };
}
