using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// Which file is it, whatever its name? So that a file that was removed, or replaced by another one, is told from the one that is open. Outside Linux all
/// files look alike, and only whether there is one counts.
/// </summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, bool IsRegular)
{
    private const int TypeBits = 0xF000; // S_IFMT
    private const int Regular = 0x8000; // S_IFREG

    private static readonly FileIdentity Any = new(0, 0, IsRegular: true);

    /// <summary>What stands under the path, null when nothing does. A link is not followed, and is no regular file.</summary>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static FileIdentity? Of(string path)
    {
        if (!OperatingSystem.IsLinux())
            return Portable(path);

        return FileCalls.Stat(path, out var status) switch
        {
            0 => Of(status),
            FileCalls.NotFound or FileCalls.NotAFolder => null,
            var error => throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}"),
        };
    }

    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static FileIdentity Of(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
            return Any;

        var error = FileCalls.Stat((int)file.DangerousGetHandle(), out var status);
        return error == 0 ? Of(status) : throw new IOException(Marshal.GetPInvokeErrorMessage(error));
    }

    private static FileIdentity Of(in FileCalls.Status status) =>
        new(((ulong)status.DeviceMajor << 32) | status.DeviceMinor, status.Inode, (status.Mode & TypeBits) == Regular);

    private static FileIdentity? Portable(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is not null || Directory.Exists(path) ? default(FileIdentity) : file.Exists ? Any : null;
    }
}
