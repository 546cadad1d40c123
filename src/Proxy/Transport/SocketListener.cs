using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport;

/// <summary>A listening TCP or unix socket.</summary>
internal sealed class SocketListener : IConnectionListener
{
    /// <summary>Redis' own tcp-backlog.</summary>
    private const int Backlog = 511;

    private readonly Socket _socket;
    private readonly SocketSettings _settings;
    private readonly string? _unixPath;

    public SocketListener(TransportAddress address, SocketSettings settings)
    {
        _settings = settings;
        _unixPath = address.UnixPath;
        var endPoint = address.ToEndPoint();
        if (endPoint is DnsEndPoint dns) endPoint = new IPEndPoint(Dns.GetHostAddresses(dns.Host)[0], dns.Port);
        if (_unixPath is not null) RemoveStaleSocket(endPoint);
        _socket = SocketTransport.NewSocket(endPoint);
        try
        {
            _socket.Bind(endPoint);
            if (_unixPath is not null && settings.UnixSocketMode is { } mode && !OperatingSystem.IsWindows()) File.SetUnixFileMode(_unixPath, mode); // before anyone can connect
            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        Address = _socket.LocalEndPoint is IPEndPoint bound ? bound.ToString() : address.ToString();
    }

    public string Address { get; }

    public async ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        var socket = await AcceptSocketAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return new PipelinedConnection(socket, _unixPath is null ? socket.RemoteEndPoint!.ToString()! : Address);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>For who makes something else of it than two plain pipes.</summary>
    public async ValueTask<Socket> AcceptSocketAsync(CancellationToken cancellationToken)
    {
        var socket = await _socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // The peer may be gone already; then this throws, and the accept loop goes on.
            SocketTransport.Configure(socket, _settings);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        if (_unixPath is not null) File.Delete(_unixPath);
        return ValueTask.CompletedTask;
    }

    /// <summary>A socket file whose owner died would keep the path taken for ever; one that answers is somebody's.</summary>
    private void RemoveStaleSocket(EndPoint endPoint)
    {
        if (!File.Exists(_unixPath)) return;
        using var trial = SocketTransport.NewSocket(endPoint);
        try
        {
            trial.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(_unixPath);
        }
    }
}
