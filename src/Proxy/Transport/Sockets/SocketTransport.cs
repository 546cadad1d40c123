using System.Net.Sockets;
using KeyEvt.Forwarder.Net;

namespace KeyEvt.Proxy.Transport.Sockets;

/// <summary>Connections over the runtime's sockets, as pipes by Pipelines.Sockets.Unofficial: TCP and unix sockets, on any system.</summary>
/// <param name="race">Null: the system resolves names.</param>
internal sealed class SocketTransport(SocketSettings? settings = null, TimeProvider? time = null, HappyEyeballs? race = null) : ITransport
{
    private readonly HappyEyeballs _race = race ?? HappyEyeballs.By(time ?? TimeProvider.System);
    private readonly SocketSettings _settings = settings ?? new SocketSettings();
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    public Task Completion { get; } = new TaskCompletionSource().Task; // never completes: the runtime's sockets cannot die as a whole

    public IConnectionListener Listen(TransportAddress address) => new SocketListener(address, _settings, _time);

    public async ValueTask<IConnection> ConnectAsync(TransportAddress address, CancellationToken cancellationToken)
    {
        var socket = await OpenAsync(address, _settings, _race, cancellationToken).ConfigureAwait(false);
        return new PipelinedConnection(socket, address.ToString(), _time);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Makes a connected socket with its options set.</summary>
    internal static async Task<Socket> OpenAsync(TransportAddress address, SocketSettings settings, HappyEyeballs race, CancellationToken cancellationToken)
    {
        var socket = await (address.UnixPath is { } path ? HappyEyeballs.OpenUnixAsync(path, cancellationToken) : race.OpenAsync(address.Host, address.Port, cancellationToken)).ConfigureAwait(false);
        try
        {
            Configure(socket, settings);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal static void Configure(Socket socket, SocketSettings settings)
    {
        if (socket.ProtocolType != ProtocolType.Tcp) return;
        socket.NoDelay = true;
        if (settings.KeepAliveSeconds == 0) return;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, settings.KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, Math.Max(1, settings.KeepAliveSeconds / 3));
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
    }
}
