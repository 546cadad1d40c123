using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport.Sockets;

/// <summary>How does a socket of the runtime end so that its peer sees a reset?</summary>
internal static class SocketReset
{
    /// <summary>Closes it; what is not sent yet is dropped. May be called more than once.</summary>
    public static void Reset(this Socket socket)
    {
        try
        {
            if (socket.ProtocolType == ProtocolType.Tcp) socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // over already
        }

        socket.Dispose();
    }
}
