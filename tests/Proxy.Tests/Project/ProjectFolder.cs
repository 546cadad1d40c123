namespace KeyEvt.Proxy.Tests.Project;

/// <summary>Where are the project's own files, seen from the folder in which the tests are built?</summary>
internal static class ProjectFolder
{
    private static readonly string[] NotOurs = [".git", "artifacts", "bin", "node_modules", "obj"];

    public static string Root { get; } = Find();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Files in a folder and below it, without what builds and tests have left there; paths from the root.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Intersect(NotOurs).Any());

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KeyEvt.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("the tests are not inside the project's folder");
        }

        return folder.FullName;
    }
}
