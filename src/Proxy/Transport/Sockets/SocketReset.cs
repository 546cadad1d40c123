using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport.Sockets;

/// <summary>How is a socket of the runtime closed so that its peer sees a reset?</summary>
internal static class SocketReset
{
    /// <summary>Closes the socket, and drops what is not sent yet. May be called more than once.</summary>
    public static void Reset(this Socket socket)
    {
        try
        {
            if (socket.ProtocolType == ProtocolType.Tcp) socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // the socket is already closed
        }

        socket.Dispose();
    }
}
