using System.Net.Sockets;

namespace KeyEvt.Proxy.Listen;

/// <summary>What does a failed accept mean for those that come after it?</summary>
internal enum AcceptError
{
    /// <summary>One client's misfortune: go on.</summary>
    Transient,

    /// <summary>No descriptors or no memory for now: go on after a pause, or the loop would spin.</summary>
    Pressure,

    /// <summary>The listening socket itself is unusable.</summary>
    Fatal,
}

/// <inheritdoc cref="AcceptError"/>
internal static class AcceptErrors
{
    /// <summary>accept(2): EMFILE, ENFILE, ENOBUFS and ENOMEM are pressure; EBADF, EINVAL, ENOTSOCK and EOPNOTSUPP cannot get better; the rest are the peer's or the network's.</summary>
    public static AcceptError Classify(Exception exception) => exception switch
    {
        SocketException e => e.SocketErrorCode switch
        {
            SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => AcceptError.Pressure,
            SocketError.NotSocket or SocketError.InvalidArgument or SocketError.OperationNotSupported or SocketError.OperationAborted => AcceptError.Fatal,
            SocketError.SocketError => AcceptError.Pressure, // an errno the runtime has no name for, ENOMEM among them
            _ => AcceptError.Transient,
        },
        _ => AcceptError.Fatal,
    };
}
