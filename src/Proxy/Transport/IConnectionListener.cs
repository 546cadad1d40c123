namespace KeyEvt.Proxy.Transport;

/// <summary>Who connects to one address? The accept loop accepts, refuses and listens again, one call at a time.</summary>
internal interface IConnectionListener : IAsyncDisposable
{
    /// <summary>The address as clients may name it, with the port that was really taken.</summary>
    string Address { get; }

    /// <exception cref="System.Net.Sockets.SocketException">See <see cref="Listen.AcceptErrors"/> for what each means.</exception>
    ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken);

    /// <summary>Whether <see cref="Refuse"/> works here. If not, clients can only be accepted and then reset.</summary>
    bool CanRefuse => false;

    /// <summary>
    /// From here on the kernel refuses whoever connects, as if nobody listened, and resets whoever waits to be accepted. The address stays taken. Must not be
    /// called during an accept.
    /// </summary>
    void Refuse()
    {
    }

    /// <summary>Ends <see cref="Refuse"/>: clients are accepted again.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel refuses to listen again.</exception>
    void RefuseNoMore()
    {
    }
}
