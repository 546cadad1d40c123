namespace KeyEvt.Proxy.Transport;

/// <summary>How do connections come about? The only door to sockets: everything above sees <see cref="IConnection"/>.</summary>
internal interface ITransport
{
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be taken.</exception>
    IConnectionListener Listen(TransportAddress address);

    /// <exception cref="System.Net.Sockets.SocketException">Nobody there.</exception>
    ValueTask<IConnection> ConnectAsync(TransportAddress address, CancellationToken cancellationToken);
}
