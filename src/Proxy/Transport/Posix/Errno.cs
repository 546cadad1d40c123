using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport.Posix;

/// <summary>Which .NET exception does an errno of Linux become? The numbers are those of x64 and arm64.</summary>
internal static class Errno
{
    public const int Interrupted = 4;
    public const int Again = 11;
    public const int InProgress = 115;

    public static SocketException ToException(int errno) => new((int)Classify(errno));

    /// <summary>As the runtime's own sockets translate it. What they have no name for becomes <see cref="SocketError.SocketError"/>.</summary>
    private static SocketError Classify(int errno) => errno switch
    {
        1 or 13 => SocketError.AccessDenied, // EPERM, EACCES
        2 => SocketError.AddressNotAvailable, // ENOENT: no such unix socket
        9 or 88 => SocketError.NotSocket, // EBADF, ENOTSOCK
        11 => SocketError.WouldBlock,
        12 or 105 => SocketError.NoBufferSpaceAvailable, // ENOMEM, ENOBUFS
        22 => SocketError.InvalidArgument,
        23 or 24 => SocketError.TooManyOpenSockets, // ENFILE, EMFILE
        32 => SocketError.Shutdown, // EPIPE
        71 or 92 => SocketError.ProtocolOption, // EPROTO, ENOPROTOOPT
        95 => SocketError.OperationNotSupported,
        97 => SocketError.AddressFamilyNotSupported,
        98 => SocketError.AddressAlreadyInUse,
        99 => SocketError.AddressNotAvailable,
        100 => SocketError.NetworkDown,
        101 => SocketError.NetworkUnreachable,
        103 => SocketError.ConnectionAborted,
        104 => SocketError.ConnectionReset,
        107 => SocketError.NotConnected,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        112 => SocketError.HostDown,
        113 => SocketError.HostUnreachable,
        125 => SocketError.OperationAborted,
        _ => SocketError.SocketError,
    };
}
