namespace KeyEvt.Proxy.Transport;

/// <summary>How do connections come about? The only way to sockets: everything above sees <see cref="IConnection"/>. Disposed of after its connections.</summary>
internal interface ITransport : IAsyncDisposable
{
    /// <summary>Faults when the transport has died and no connection can go on.</summary>
    Task Completion { get; }

    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be taken.</exception>
    IConnectionListener Listen(TransportAddress address);

    /// <summary>Called on the thread that an accepted connection lives on, the new one lives there too.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">Nobody there.</exception>
    ValueTask<IConnection> ConnectAsync(TransportAddress address, CancellationToken cancellationToken);
}
