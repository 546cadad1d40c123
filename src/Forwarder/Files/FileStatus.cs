using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeyEvt.Forwarder.Files;

/// <summary>
/// What stands under a path, or is open: which kind of file, with which rights, whose, and is it still the same one? Asks statx of Linux, whose structure is the same on every
/// processor; .NET has no method for the owner, for sockets, or for the identity of a file.
/// </summary>
public readonly unsafe partial struct FileStatus
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const int DoNotFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint TypeModeOwnerInode = 0x001 | 0x002 | 0x008 | 0x100; // STATX_TYPE, STATX_MODE, STATX_UID, STATX_INO
    private const int NotFound = 2; // ENOENT
    private const int NotAFolder = 20; // ENOTDIR
    private const int TypeBits = 0xF000; // S_IFMT
    private const int RightsBits = 0xFFF;

    private readonly int _type;

    private FileStatus(in Record record)
    {
        (_type, Rights, Owner) = (record.Mode & TypeBits, (UnixFileMode)(record.Mode & RightsBits), record.Owner);
        (Device, Inode) = (((ulong)record.DeviceMajor << 32) | record.DeviceMinor, record.Inode);
    }

    public UnixFileMode Rights { get; }

    /// <summary>Of the file system that it is in. With <see cref="Inode"/> it tells the file from all others, whatever its name.</summary>
    public ulong Device { get; }

    public ulong Inode { get; }

    /// <summary>The number of the user that it belongs to.</summary>
    public uint Owner { get; }

    public bool IsRegular => _type == 0x8000; // S_IFREG

    public bool IsSocket => _type == 0xC000; // S_IFSOCK

    /// <summary>As people say: a file, a folder, a link.</summary>
    public string Kind => _type switch
    {
        0x8000 => "a file",
        0x4000 => "a folder",
        0xA000 => "a link",
        0xC000 => "a socket",
        0x1000 => "a pipe",
        _ => "a device",
    };

    /// <summary>The number of the user that this process runs as.</summary>
    public static uint CurrentUser => GetUser();

    /// <summary>Whether it is the same file, whatever became of its rights.</summary>
    public bool IsSameAs(in FileStatus other) => (Device, Inode, _type) == (other.Device, other.Inode, other._type);

    /// <summary>Null: nothing stands there. Linux only.</summary>
    /// <param name="followLinks">False: what is said of a link is said of itself, not of where it leads.</param>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static FileStatus? Of(string path, bool followLinks)
    {
        Record record;
        if (Stat(CurrentFolder, path, followLinks ? 0 : DoNotFollow, TypeModeOwnerInode, &record) == 0) return new FileStatus(record);
        var error = Marshal.GetLastSystemError();
        return error is NotFound or NotAFolder ? null : throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>What an open file is. Linux only.</summary>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static FileStatus Of(SafeFileHandle file)
    {
        Record record;
        return Stat((int)file.DangerousGetHandle(), "", EmptyPath, TypeModeOwnerInode, &record) == 0
            ? new FileStatus(record)
            : throw new IOException(Marshal.GetPInvokeErrorMessage(Marshal.GetLastSystemError()));
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(int folder, string path, int flags, uint mask, Record* status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetUser();

    /// <summary>struct statx, of which only these fields are read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Record
    {
        [FieldOffset(20)]
        public uint Owner;

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
