using KeyEvt.Forwarder.Files;
using Microsoft.Win32.SafeHandles;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// Which file is it, whatever its name? So that a file that was removed, or replaced by another one, is told from the one that is open. Outside Linux all
/// files look alike, and only whether there is one counts.
/// </summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, bool IsRegular)
{
    private static readonly FileIdentity Any = new(0, 0, IsRegular: true);

    /// <summary>What stands under the path, null when nothing does. A link is not followed, and is no regular file.</summary>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static FileIdentity? Of(string path)
    {
        if (!OperatingSystem.IsLinux()) return Portable(path);

        return FileStatus.Of(path, followLinks: false) is { } status ? Of(status) : null;
    }

    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static FileIdentity Of(SafeFileHandle file) => OperatingSystem.IsLinux() ? Of(FileStatus.Of(file)) : Any;

    private static FileIdentity Of(in FileStatus status) => new(status.Device, status.Inode, status.IsRegular);

    private static FileIdentity? Portable(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is not null || Directory.Exists(path) ? default(FileIdentity) : file.Exists ? Any : null;
    }
}
