using System.Runtime.InteropServices;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// Which system calls does the spool need that .NET has no method for? Which file stands under a name (statx), and that a folder's entries are on disk (fsync). libc of Linux;
/// statx is the one stat whose structure is the same on every processor.
/// </summary>
internal static unsafe partial class FileCalls
{
    public const int NotFound = 2; // ENOENT
    public const int NotAFolder = 20; // ENOTDIR

    private const int CurrentFolder = -100; // AT_FDCWD
    private const int DoNotFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint TypeModeInode = 0x001 | 0x002 | 0x100; // STATX_TYPE, STATX_MODE, STATX_INO
    private const int ReadOnlyCloseOnExec = 0x80000; // O_RDONLY, O_CLOEXEC
    private const int InvalidArgument = 22; // EINVAL

    /// <summary>What stands under a path; a link itself, not where it leads. Returns 0 or the error.</summary>
    public static int Stat(string path, out Status status) => Stat(CurrentFolder, path, DoNotFollow, out status);

    /// <summary>What an open file is. Returns 0 or the error.</summary>
    public static int Stat(int fd, out Status status) => Stat(fd, "", EmptyPath, out status);

    /// <summary>Brings the entries of a folder to the disk. Returns 0 or the error; a file system that knows no such thing is no error.</summary>
    public static int FlushFolder(string path)
    {
        var fd = Open(path, ReadOnlyCloseOnExec);
        if (fd < 0)
            return Marshal.GetLastSystemError();

        var error = Flush(fd) == 0 ? 0 : Marshal.GetLastSystemError();
        Close(fd);
        return error == InvalidArgument ? 0 : error;
    }

    private static int Stat(int folder, string path, int flags, out Status status)
    {
        fixed (Status* to = &status)
            return Stat(folder, path, flags, TypeModeInode, to) == 0 ? 0 : Marshal.GetLastSystemError();
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(int folder, string path, int flags, uint mask, Status* status);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Flush(int fd);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);

    /// <summary>struct statx, of which only these fields are read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct Status
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}
