// Where does the tree stand that the mutants are built in?
namespace KeyEvt.Mutation;

/// <summary>A copy of the source tree in a temporary folder, without what git ignores.</summary>
internal sealed class SourceCopy(string root) : IDisposable
{
    public string Root => root;

    /// <summary>Whether the copy is there afterwards.</summary>
    public bool Keep { get; init; }

    public static async Task<SourceCopy> MakeAsync(string original, bool keep)
    {
        var copy = new SourceCopy(Directory.CreateTempSubdirectory("mutants-").FullName) { Keep = keep };
        var list = await Command.RunAsync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], original);
        if (list.ExitCode != 0) throw new MutationException($"git does not list the files of the tree: {list.Output}");
        foreach (var file in list.Output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Path.Combine(original, file))))
        {
            var target = Path.Combine(copy.Root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(original, file), target);
        }

        return copy;
    }

    public void Dispose()
    {
        if (!Keep) Directory.Delete(root, recursive: true);
    }
}
