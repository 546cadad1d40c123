using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>One client between accept and session. Only <see cref="HandshakeAdmission"/> changes it, under its lock.</summary>
/// <param name="owner">The listener that the client came in by.</param>
/// <param name="network">See <see cref="HandshakeLimits.NetworkOf"/>.</param>
/// <param name="cameAt">Timestamp of its arrival.</param>
internal sealed class PendingHandshake(Socket socket, object owner, UInt128 network, long cameAt)
{
    public Socket Socket => socket;

    public object Owner => owner;

    public UInt128 Network => network;

    public long CameAt => cameAt;

    public HandshakeStage Stage { get; set; }

    /// <summary>Timestamp of the beginning of its handshake.</summary>
    public long ShakingSince { get; set; }

    /// <summary>
    /// Why the client was put out; null: it was not. Its socket is closed then, and whatever waits for the socket fails. Set before the socket is closed and
    /// before <see cref="Turn"/> completes, so <see cref="TlsListener"/> may read it after either without the lock.
    /// </summary>
    public string? Reason { get; set; }

    /// <summary>The client's node in the list of its stage.</summary>
    public LinkedListNode<PendingHandshake>? Place { get; set; }

    /// <summary>True: the handshake may begin. False: the client was put out.</summary>
    public TaskCompletionSource<bool> Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
