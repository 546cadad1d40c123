using System.Runtime.InteropServices;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// Which system calls does the spool need that .NET has no method for? fsync of a folder, so that new names in it are on disk. libc of Linux.
/// </summary>
internal static partial class FileCalls
{
    private const int ReadOnlyCloseOnExec = 0x80000; // O_RDONLY, O_CLOEXEC
    private const int InvalidArgument = 22; // EINVAL

    /// <summary>Writes a folder's entries to the disk. Returns 0 or the error. EINVAL counts as 0: that file system cannot do it.</summary>
    public static int FlushFolder(string path)
    {
        var fd = Open(path, ReadOnlyCloseOnExec);
        if (fd < 0) return Marshal.GetLastSystemError();

        var error = Flush(fd) == 0 ? 0 : Marshal.GetLastSystemError();
        _ = Close(fd);
        return error == InvalidArgument ? 0 : error;
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Flush(int fd);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
