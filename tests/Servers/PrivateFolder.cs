// Where may a server of a test write, and who removes it?
using System.Globalization;

namespace KeyEvt.Servers;

/// <summary>
/// A folder of its own under the system's temporary folder, removed on Dispose. Folders of test processes that
/// died without disposing are removed by the next test process.
/// </summary>
public sealed class PrivateFolder : IDisposable
{
    private static readonly string Root = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "keyevt-servers");
    private static readonly Lock Sweeping = new();
    private static int _count;
    private static bool _swept;

    public PrivateFolder(string name)
    {
        lock (Sweeping)
        {
            if (!_swept) SweepOfTheDead();
            _swept = true;
        }
        var mine = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Interlocked.Increment(ref _count)}-{name}");
        Path = Directory.CreateDirectory(System.IO.Path.Combine(Root, mine)).FullName;
    }

    public string Path { get; }

    /// <summary>The path of a file in this folder, whether it exists or not.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        var file = File(name);
        System.IO.File.WriteAllText(file, text);
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite); // it may hold a password, and keyevt warns of files that others may read
        }

        return file;
    }

    public void Dispose() => Remove(Path);

    private static void SweepOfTheDead()
    {
        if (!Directory.Exists(Root)) return;
        foreach (var folder in Directory.EnumerateDirectories(Root))
        {
            var owner = System.IO.Path.GetFileName(folder).Split('-')[0];
            if (int.TryParse(owner, CultureInfo.InvariantCulture, out var pid) && !Directory.Exists($"/proc/{pid}")) Remove(folder);
        }
    }

    private static void Remove(string folder)
    {
        // A server that was just killed may still be unlinking its own files: a second try sees a quiet folder.
        for (var tries = 0; tries < 5; tries++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
                return;
            }
            catch (DirectoryNotFoundException)
            {
                return;
            }
            catch (IOException)
            {
            }
        }
    }
}
