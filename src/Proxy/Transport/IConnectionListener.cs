namespace KeyEvt.Proxy.Transport;

/// <summary>Who comes in at one address? Owned by the accept loop.</summary>
internal interface IConnectionListener : IAsyncDisposable
{
    /// <summary>As clients may name it, with the port that was really taken.</summary>
    string Address { get; }

    /// <exception cref="System.Net.Sockets.SocketException">See <see cref="Listen.AcceptErrors"/> for what each means.</exception>
    ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken);

    /// <summary>Whether <see cref="Refuse"/> is possible here. Where it is not, clients can only be let in and then reset.</summary>
    bool CanRefuse => false;

    /// <summary>From here on whoever connects is refused by the kernel, as if nobody listened; whoever waits to be accepted is reset. The address stays taken. Not while accepting.</summary>
    void Refuse()
    {
    }

    /// <summary>The end of <see cref="Refuse"/>: clients are let in again.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel does not want to.</exception>
    void RefuseNoMore()
    {
    }
}
