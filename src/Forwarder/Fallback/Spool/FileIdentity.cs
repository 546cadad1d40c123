using KeyEvt.Forwarder.Files;
using Microsoft.Win32.SafeHandles;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// Is the file at a path still the same file? Tells a file that was removed or replaced from the one that is open. Outside Linux all regular files
/// have the same identity, so only whether a file exists is compared.
/// </summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, bool IsRegular)
{
    private static readonly FileIdentity Any = new(0, 0, IsRegular: true);

    /// <summary>The identity of what is at the path; null if nothing is. A link is not followed, and is not a regular file.</summary>
    /// <exception cref="IOException">The path cannot be examined.</exception>
    public static FileIdentity? Of(string path)
    {
        if (!OperatingSystem.IsLinux()) return Portable(path);

        return FileStatus.Of(path, followLinks: false) is { } status ? Of(status) : null;
    }

    /// <exception cref="IOException">The file cannot be examined.</exception>
    public static FileIdentity Of(SafeFileHandle file) => OperatingSystem.IsLinux() ? Of(FileStatus.Of(file)) : Any;

    private static FileIdentity Of(in FileStatus status) => new(status.Device, status.Inode, status.IsRegular);

    private static FileIdentity? Portable(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is not null || Directory.Exists(path) ? default(FileIdentity) : file.Exists ? Any : null;
    }
}
