using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Sockets;

/// <summary>A listening TCP or unix socket that accepts through the runtime. Used by one accept loop.</summary>
internal sealed class SocketListener(TransportAddress address, SocketSettings settings, TimeProvider? time = null) : IConnectionListener
{
    private readonly ListeningSocket _listening = new(address, settings);
    private nint _lastHandle;

    public string Address => _listening.Address;

    public bool CanRefuse => _listening.CanRefuse;

    public void Refuse() => _listening.Refuse();

    public void RefuseNoMore() => _listening.RefuseNoMore();

    public async ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        var socket = await AcceptSocketAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return new PipelinedConnection(socket, _listening.IsTcp ? socket.RemoteEndPoint!.ToString()! : Address, time ?? TimeProvider.System);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Accepts a bare socket, for a caller that does not want two plain pipes.</summary>
    public async ValueTask<Socket> AcceptSocketAsync(CancellationToken cancellationToken)
    {
        DescriptorReserve.ThrowIfScarce(_lastHandle);
        var socket = await _listening.Socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
        _lastHandle = socket.Handle;
        try
        {
            // The peer may be gone already. Then this throws, and the accept loop goes on.
            SocketTransport.Configure(socket, settings);
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
        _listening.Dispose();
        return ValueTask.CompletedTask;
    }
}
