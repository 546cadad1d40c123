using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport;

/// <summary>Connections over the runtime's sockets, as pipes by Pipelines.Sockets.Unofficial: TCP and unix sockets, any system.</summary>
internal sealed class SocketTransport : ITransport
{
    /// <summary>Redis' own tcp-keepalive: first probe after 300 s, then every 100 s, dead after 3.</summary>
    internal const int KeepAliveSeconds = 300;

    public Task Completion { get; } = new TaskCompletionSource().Task; // the runtime's sockets do not die

    public IConnectionListener Listen(TransportAddress address) => new SocketListener(address);

    public async ValueTask<IConnection> ConnectAsync(TransportAddress address, CancellationToken cancellationToken)
    {
        var endPoint = address.ToEndPoint();
        var socket = NewSocket(endPoint);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return Adopt(socket, address.ToString());
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Takes a connected socket over.</summary>
    internal static IConnection Adopt(Socket socket, string remoteName)
    {
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            socket.NoDelay = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveSeconds / 3);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        }

        return new PipelinedConnection(socket, remoteName);
    }

    internal static Socket NewSocket(EndPoint endPoint) => endPoint switch
    {
        UnixDomainSocketEndPoint => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
        IPEndPoint ip => new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp),
        _ => new Socket(SocketType.Stream, ProtocolType.Tcp), // a name may resolve to either family
    };
}
