namespace KeyEvt.Proxy.Transport;

/// <summary>How are connections made? The only way to sockets: everything above sees <see cref="IConnection"/>. Disposed of after its connections.</summary>
internal interface ITransport : IAsyncDisposable
{
    /// <summary>Faults when the transport has died and none of its connections can go on.</summary>
    Task Completion { get; }

    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be taken.</exception>
    IConnectionListener Listen(TransportAddress address);

    /// <summary>
    /// Makes a connection. When it is called on the thread that an accepted connection belongs to, the new connection belongs to that thread too.
    /// </summary>
    /// <exception cref="System.Net.Sockets.SocketException">Nobody accepts connections there.</exception>
    ValueTask<IConnection> ConnectAsync(TransportAddress address, CancellationToken cancellationToken);
}
