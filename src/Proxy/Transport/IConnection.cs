using System.IO.Pipelines;
using System.Net;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// What does a session see of a connection? Two pipes and a name; sockets, TLS and event loops stay below.
/// <list type="bullet">
/// <item><see cref="IDuplexPipe.Input"/> completes at the peer's FIN, and throws when the connection broke.</item>
/// <item>Completing <see cref="IDuplexPipe.Output"/> sends everything written before, then FIN; the input goes on.</item>
/// <item>A flush that says completed, or throws, means that the peer takes no more bytes: see <see cref="PipeWriterExtensions"/>.</item>
/// </list>
/// </summary>
internal interface IConnection : IDuplexPipe, IAsyncDisposable
{
    /// <summary>The peer, for logs.</summary>
    string RemoteName { get; }

    /// <summary>The address of this side, as the peer sees it; null for what has none, such as a unix socket. Asks the system: not for every session.</summary>
    IPAddress? GetLocalAddress();

    /// <summary>Ends both directions at once: pending and later reads and flushes return. May be called from anywhere, more than once.</summary>
    void Abort();

    /// <summary>
    /// As <see cref="Abort"/>, but the peer sees its connection reset (RST), as one that was never let in; nothing more is sent to it. A unix socket knows no reset: its peer sees the end.
    /// </summary>
    void ResetPeer() => Abort();
}
