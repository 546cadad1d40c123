namespace KeyEvt.Proxy.Transport;

/// <summary>Who comes in at one address? Owned by the accept loop.</summary>
internal interface IConnectionListener : IAsyncDisposable
{
    /// <summary>As clients may name it, with the port that was really taken.</summary>
    string Address { get; }

    /// <exception cref="System.Net.Sockets.SocketException">See <see cref="Listen.AcceptErrors"/> for what each means.</exception>
    ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken);
}
