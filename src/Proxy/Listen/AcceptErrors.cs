using System.Net.Sockets;

namespace KeyEvt.Proxy.Listen;

/// <summary>What does a failed accept mean for the accepts that follow?</summary>
internal enum AcceptError
{
    /// <summary>It concerns one client only: go on.</summary>
    Transient,

    /// <summary>There are no descriptors or no memory for now. Go on after a pause, as the loop would spin otherwise.</summary>
    Pressure,

    /// <summary>The listening socket itself cannot be used any more.</summary>
    Fatal,
}

/// <inheritdoc cref="AcceptError"/>
internal static class AcceptErrors
{
    /// <summary>
    /// By accept(2): EMFILE, ENFILE, ENOBUFS and ENOMEM are <see cref="AcceptError.Pressure"/>. EBADF, EINVAL, ENOTSOCK and EOPNOTSUPP cannot get better, and are
    /// <see cref="AcceptError.Fatal"/>. All others concern the peer or the network, and are <see cref="AcceptError.Transient"/>.
    /// </summary>
    public static AcceptError Classify(Exception exception) => exception switch
    {
        SocketException e => e.SocketErrorCode switch
        {
            SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => AcceptError.Pressure,
            SocketError.NotSocket or SocketError.InvalidArgument or SocketError.OperationNotSupported or SocketError.OperationAborted => AcceptError.Fatal,
            SocketError.SocketError => AcceptError.Pressure, // any errno that the runtime has no name for, among them ENOMEM
            _ => AcceptError.Transient,
        },
        _ => AcceptError.Fatal,
    };
}
