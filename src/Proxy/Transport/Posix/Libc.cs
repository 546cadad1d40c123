using System.Runtime.InteropServices;

namespace KeyEvt.Proxy.Transport.Posix;

/// <summary>
/// Which system calls does the event loop make? libc's own functions, with their raw results: -1 means failure, and <see cref="Marshal.GetLastSystemError"/>
/// says why. All are called for non-blocking descriptors; only <see cref="EpollWait"/> may sleep.
/// </summary>
internal static unsafe partial class Libc
{
    public const uint In = 0x001;
    public const uint Out = 0x004;
    public const uint Error = 0x008;
    public const uint HangUp = 0x010;
    public const uint PeerHangUp = 0x2000;
    public const uint EdgeTriggered = 1u << 31;

    public const int Add = 1;
    public const int Delete = 2;
    public const int Modify = 3;

    public const int CloseOnExec = 0x80000; // SOCK_CLOEXEC, EPOLL_CLOEXEC and EFD_CLOEXEC are the same
    public const int NonBlocking = 0x800;
    public const int StreamSocket = 1;
    public const int NoSignal = 0x4000;
    public const int ShutdownWrite = 1;
    public const int ShutdownBoth = 2;

    private const int SocketLevel = 1;
    private const int ReuseAddressOption = 2;
    private const int SocketErrorOption = 4;
    private const int LingerOption = 13;

    [LibraryImport("libc", EntryPoint = "epoll_create1")]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl")]
    public static partial int EpollControl(int epoll, int operation, int fd, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    public static partial int EpollWait(int epoll, byte* events, int max, int timeout);

    [LibraryImport("libc", EntryPoint = "eventfd")]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    public static partial nint Write(int fd, void* bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "recv")]
    public static partial nint Receive(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send")]
    public static partial nint Send(int fd, byte* bytes, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg")]
    public static partial nint SendMessage(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "socket")]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect")]
    public static partial int Connect(int fd, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "accept4")]
    public static partial int Accept(int fd, byte* address, uint* length, int flags);

    [LibraryImport("libc", EntryPoint = "listen")]
    public static partial int Listen(int fd, int backlog);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    public static partial int Shutdown(int fd, int how);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    private static partial int GetSocketOption(int fd, int level, int name, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    private static partial int SetSocketOption(int fd, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, ulong* softAndHard);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int fd);

    /// <summary>How many files this process may have open.</summary>
    public static long MaxDescriptors()
    {
        const int OpenFiles = 7;
        var limits = stackalloc ulong[2];
        return GetLimit(OpenFiles, limits) == 0 && limits[0] <= int.MaxValue ? (long)limits[0] : int.MaxValue;
    }

    /// <summary>The number that the next descriptor will get; the largest int if there is none.</summary>
    public static int LowestFree()
    {
        var fd = Duplicate(2);
        if (fd < 0) return int.MaxValue;
        _ = Close(fd);
        return fd;
    }

    /// <summary>The error of a connect that has ended; 0: it succeeded.</summary>
    public static int TakeError(int fd)
    {
        int error;
        var length = (uint)sizeof(int);
        return GetSocketOption(fd, SocketLevel, SocketErrorOption, &error, &length) < 0 ? Marshal.GetLastSystemError() : error;
    }

    public static void SetOption(int fd, int level, int name, int value) => _ = SetSocketOption(fd, level, name, &value, sizeof(int));

    /// <summary>SO_REUSEADDR.</summary>
    public static void ReuseAddress(int fd, bool mayReuse) => SetOption(fd, SocketLevel, ReuseAddressOption, mayReuse ? 1 : 0);

    /// <summary>Makes closing the socket reset the connection, and drop what is not sent yet.</summary>
    public static void ResetOnClose(int fd)
    {
        var onAndSeconds = stackalloc int[2] { 1, 0 }; // struct linger
        _ = SetSocketOption(fd, SocketLevel, LingerOption, onAndSeconds, 2 * sizeof(int));
    }

    /// <summary>struct iovec.</summary>
    public struct Vector
    {
        public byte* Bytes;
        public nuint Length;
    }

    /// <summary>struct msghdr of 64-bit Linux.</summary>
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
