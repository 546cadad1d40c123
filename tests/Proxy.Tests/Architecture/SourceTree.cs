// Where is the source that the tests of the architecture read, and which files and folders has it?
namespace KeyEvt.Proxy.Tests.Architecture;

/// <summary>The repository's C# files, by path from its root. A project is the folder two levels down (<c>src/Proxy</c>), a room is a folder with files of its own.</summary>
internal static class SourceTree
{
    private static readonly string[] Tops = ["src", "tests", "bench"];

    public static string Root { get; } = FindRoot();

    /// <summary>All files that people wrote, in order.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [.. Tops.SelectMany(top => Directory.EnumerateFiles(Path.Combine(Root, top), "*.cs", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Root, path))
            .Where(path => !path.Split('/').Any(part => part is "obj" or "bin"))
            .Order(StringComparer.Ordinal)];

    /// <summary>The folder that a file or a room's sub-room lies in.</summary>
    public static string RoomOf(string file) => Path.GetDirectoryName(file)!;

    public static string ProjectOf(string path) => string.Join('/', path.Split('/')[..2]);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KeyEvt.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("not inside the repository");
        }

        return folder.FullName;
    }
}
