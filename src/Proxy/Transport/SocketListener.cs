namespace KeyEvt.Proxy.Transport;

/// <summary>A listening TCP or unix socket, accepted from by the runtime.</summary>
internal sealed class SocketListener(TransportAddress address) : IConnectionListener
{
    private readonly ListeningSocket _listening = new(address);

    public string Address => _listening.Address;

    public async ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        var socket = await _listening.Socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // The peer may be gone already; then this throws, and the accept loop goes on.
            return SocketTransport.Adopt(socket, _listening.IsTcp ? socket.RemoteEndPoint!.ToString()! : Address);
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
