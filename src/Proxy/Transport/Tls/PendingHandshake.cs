using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>One client between accept and session. <see cref="HandshakeAdmission"/> alone changes it, under its lock.</summary>
/// <param name="owner">The listener that it came in by.</param>
/// <param name="network">See <see cref="HandshakeLimits.NetworkOf"/>.</param>
/// <param name="cameAt">Time stamp.</param>
internal sealed class PendingHandshake(Socket socket, object owner, UInt128 network, long cameAt)
{
    public Socket Socket => socket;

    public object Owner => owner;

    public UInt128 Network => network;

    public long CameAt => cameAt;

    public HandshakeStage Stage { get; set; }

    /// <summary>Time stamp of the begin of the handshake.</summary>
    public long ShakingSince { get; set; }

    /// <summary>Why it was put out; null: it was not. Its socket is closed then, and whatever waits for it fails.</summary>
    public string? Reason { get; set; }

    /// <summary>In the list of its stage.</summary>
    public LinkedListNode<PendingHandshake>? Place { get; set; }

    /// <summary>True: it is its turn. False: it was put out.</summary>
    public TaskCompletionSource<bool> Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
