using KeyEvt.Proxy.Transport.Epoll;

namespace KeyEvt.Proxy.Transport;

/// <summary>Which transport carries the sessions?</summary>
internal enum TransportKind
{
    /// <summary>Event loops where there is epoll, else the runtime's sockets.</summary>
    Auto,

    /// <summary>Event loops of our own, on Linux.</summary>
    Epoll,

    /// <summary>The runtime's sockets, by Pipelines.Sockets.Unofficial, on any system.</summary>
    Sockets,
}

/// <inheritdoc cref="TransportKind"/>
internal static class Transports
{
    /// <summary>libc's own functions are called by their 64-bit layouts.</summary>
    public static bool HasEpoll => OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    public static ITransport Create(TransportKind kind, int loops, SocketSettings settings, TimeProvider time) =>
        kind == TransportKind.Epoll || (kind == TransportKind.Auto && HasEpoll) ? new EpollTransport(loops, settings, time) : new SocketTransport(settings, time);
}
