using System.IO.Pipelines;
using System.Net;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// What does a session see of a connection? Two pipes and a name. Sockets, TLS and event loops are hidden below.
/// <list type="bullet">
/// <item><see cref="IDuplexPipe.Input"/> completes at the peer's FIN, and throws when the connection broke.</item>
/// <item>Completing <see cref="IDuplexPipe.Output"/> sends everything that was written before, then FIN; the input goes on.</item>
/// <item>A flush that reports completed, or throws, means that the peer takes no more bytes: see <see cref="PipeWriterExtensions"/>.</item>
/// </list>
/// </summary>
internal interface IConnection : IDuplexPipe, IAsyncDisposable
{
    /// <summary>The peer's name, for logs.</summary>
    string RemoteName { get; }

    /// <summary>
    /// The address of this side, as the peer sees it; null if there is none, as with a unix socket. It makes system calls, so it should not be called for every
    /// session.
    /// </summary>
    IPAddress? GetLocalAddress();

    /// <summary>Ends both directions at once: pending and later reads and flushes return. May be called from any thread, and more than once.</summary>
    void Abort();

    /// <summary>
    /// As <see cref="Abort"/>, but the peer sees its connection reset (RST), like one that was never accepted. Nothing more is sent to it. A unix socket knows
    /// no reset; its peer sees the end.
    /// </summary>
    void ResetPeer() => Abort();
}
