namespace KeyEvt.Proxy.Transport;

/// <summary>Which transport carries the sessions?</summary>
internal enum TransportKind
{
    /// <summary>Event loops where there is epoll, otherwise the runtime's sockets.</summary>
    Auto,

    /// <summary>Event loops of the program's own, on Linux.</summary>
    Epoll,

    /// <summary>The runtime's sockets, by Pipelines.Sockets.Unofficial, on any system.</summary>
    Sockets,
}
