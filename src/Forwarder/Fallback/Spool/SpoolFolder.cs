using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// Is this the spool's folder, what is in it, and is it still the same one? It holds <c>lock</c>, <c>head</c> and files <c>&lt;19
/// digits&gt;.spool</c>, accessible to the owner only. Any other file could hold events that nobody sends, so the program does not start with it.
/// Names that begin with a dot, and <c>lost+found</c>, belong to the system and are ignored.
/// </summary>
internal sealed class SpoolFolder : IDisposable
{
    private const string Suffix = ".spool";
    private const int Digits = 19;

    /// <summary>The largest index of an entry. No program reaches it by writing, so a larger number is not ours, and sums with it would overflow.</summary>
    public const long MaxIndex = 1_000_000_000_000_000_000;

    private const UnixFileMode OwnerAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private FileStream _lock;
    private FileIdentity _lockIdentity;

    /// <exception cref="SpoolException">The folder cannot be used, or holds something that does not belong there.</exception>
    /// <exception cref="IOException">Another program uses the folder.</exception>
    public SpoolFolder(string path, ILogger logger)
    {
        Path = path;
        Segments = Find(path);
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) is var mode && (mode & ~OwnerAll) != 0)
        {
            FallbackLog.SpoolIsOpen(logger, path, Convert.ToString((int)mode, 8));
        }

        (_lock, _lockIdentity) = TakeLock();
    }

    public string Path { get; }

    /// <summary>The segment files that were there at the start, in order, each with the index of its first entry.</summary>
    public IReadOnlyList<(string Path, long First)> Segments { get; }

    public string HeadPath => System.IO.Path.Combine(Path, "head");

    private string LockPath => System.IO.Path.Combine(Path, "lock");

    public string SegmentPath(long first) => System.IO.Path.Combine(Path, first.ToString("D19", CultureInfo.InvariantCulture) + Suffix);

    /// <summary>Creates the folder if it does not exist, and lists the segment files in it.</summary>
    /// <exception cref="SpoolException">The folder cannot be used, or holds something that does not belong there.</exception>
    public static IReadOnlyList<(string Path, long First)> Find(string path)
    {
        try
        {
            Make(path);
            return FindSegments(path);
        }
        catch (Exception e) when (e is (IOException and not SpoolException) or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SpoolException(path, e.Message, e);
        }
    }

    /// <summary>Creates the folder and its lock again if somebody removed or replaced them.</summary>
    /// <exception cref="IOException">It cannot be created, or another program uses it.</exception>
    public void MakeAgainIfGone()
    {
        if (FileIdentity.Of(LockPath) == _lockIdentity) return;

        Make(Path);
        _lock.Dispose();
        (_lock, _lockIdentity) = TakeLock();
    }

    /// <summary>Creates a file that only the owner may access.</summary>
    /// <exception cref="IOException">There is one of this name already, or it cannot be created.</exception>
    public static FileStream Create(string path, FileMode mode = FileMode.CreateNew)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;

        return new FileStream(path, options);
    }

    /// <summary>Removes the access rights of everybody but the owner from an open file.</summary>
    public static void Close(Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, OwnerOnly);
    }

    /// <summary>Writes the folder's entries to the disk, so that a new name in the folder survives a loss of power.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Flush()
    {
        if (OperatingSystem.IsLinux() && FileCalls.FlushFolder(Path) is not 0 and var error)
        {
            throw new IOException($"{Path}: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    public void Dispose() => _lock.Dispose();

    private static void Make(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnerAll);
    }

    private (FileStream Lock, FileIdentity Identity) TakeLock()
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;

            var taken = new FileStream(LockPath, options);
            return (taken, FileIdentity.Of(taken.SafeFileHandle));
        }
        catch (IOException e)
        {
            throw new IOException($"the spool directory {Path} is in use by another program: {e.Message}", e);
        }
    }

    private static List<(string Path, long First)> FindSegments(string folder)
    {
        var found = new List<(string Path, long First)>();
        foreach (var path in Directory.GetFileSystemEntries(folder).Order(StringComparer.Ordinal))
        {
            var name = System.IO.Path.GetFileName(path);
            if (name.StartsWith('.') || name == "lost+found") continue;

            var first = FirstIndexIn(name);
            if (first is null && name is not ("lock" or "head" or "head.new"))
            {
                throw new SpoolException(folder, $"{path} is no file of a spool; move it elsewhere, or name a folder of the spool's own");
            }

            if (FileIdentity.Of(path) is not { IsRegular: true })
            {
                throw new SpoolException(folder, $"{path} is no regular file (a folder, a link, a pipe); move it elsewhere");
            }

            if (first is { } index) found.Add((path, index));
        }

        return found;
    }

    /// <summary>The index of the first entry in a segment file of this name; null if it is not such a name.</summary>
    private static long? FirstIndexIn(string name)
    {
        if (!name.EndsWith(Suffix, StringComparison.Ordinal) || name.Length != Digits + Suffix.Length) return null;

        return long.TryParse(name.AsSpan(0, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out var first) && first <= MaxIndex ? first : null;
    }
}
