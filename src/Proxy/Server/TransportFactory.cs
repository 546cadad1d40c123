using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Epoll;
using KeyEvt.Proxy.Transport.Posix;
using KeyEvt.Proxy.Transport.Sockets;

namespace KeyEvt.Proxy.Server;

/// <summary>Makes the transport that <c>--transport</c> names.</summary>
internal static class TransportFactory
{
    public static ITransport Create(TransportOptions options, SocketSettings settings, TimeProvider time) =>
        options.Kind == TransportKind.Epoll || (options.Kind == TransportKind.Auto && Platform.HasEpoll) ? new EpollTransport(options.Loops, settings, time) : new SocketTransport(settings, time);
}
