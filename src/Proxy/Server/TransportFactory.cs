using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Epoll;
using KeyEvt.Proxy.Transport.Posix;
using KeyEvt.Proxy.Transport.Sockets;

namespace KeyEvt.Proxy.Server;

/// <summary>Makes the transport that <c>--transport</c> names.</summary>
internal static class TransportFactory
{
    public static ITransport Create(TransportKind kind, int loops, SocketSettings settings, TimeProvider time) =>
        kind == TransportKind.Epoll || (kind == TransportKind.Auto && Platform.HasEpoll) ? new EpollTransport(loops, settings, time) : new SocketTransport(settings, time);
}
