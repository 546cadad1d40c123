// How do all mutants get into one program?
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace KeyEvt.Mutation;

/// <summary>Writes the mutants into the copy and builds the tests there. A mutant that fails here, although <see cref="CompileCheck"/> took it, is dropped.</summary>
internal sealed partial class MutantBuild(string root, IReadOnlyList<SourceProject> projects, IReadOnlyList<string> testFolders)
{
    // Warnings do not matter in the copy, and no build server is left behind.
    private static readonly string[] Settings =
        ["-c", "Release", "-v", "quiet", "-nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:TreatWarningsAsErrors=false", "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false", "-p:AllowUnsafeBlocks=true", "-clp:ErrorsOnly"];

    /// <returns>The mutants that are in the program.</returns>
    public async Task<IReadOnlyList<Mutant>> BuildAsync(IReadOnlyList<Mutant> mutants)
    {
        foreach (var project in projects)
        {
            File.WriteAllText(Path.Combine(Path.GetDirectoryName(project.Path)!, SwitchSource.FileName), SwitchSource.Text);
        }
        while (true)
        {
            Write(mutants);
            var output = await BuildAsync();
            if (output is null) return mutants;
            var blamed = ErrorLine().Matches(output).SelectMany(Blame).ToHashSet();
            if (blamed.Count == 0) throw new MutationException($"the build of the copy fails: {output}");
            mutants = MutantChoice.Number(mutants.Where(mutant => !blamed.Contains(mutant.Id)));
        }
    }

    private void Write(IReadOnlyList<Mutant> mutants)
    {
        foreach (var (file, text) in projects.SelectMany(project => project.Texts))
        {
            var path = Path.Combine(root, file);
            var written = GuardWriter.Write(text, mutants.Where(mutant => mutant.File == file));
            if (File.ReadAllText(path) != written) File.WriteAllText(path, written);
        }
    }

    /// <returns>What the compiler says when it fails; null when all is well.</returns>
    private async Task<string?> BuildAsync()
    {
        foreach (var folder in testFolders)
        {
            var build = await Command.RunAsync("dotnet", ["build", folder, .. Settings], root);
            if (build.ExitCode != 0) return build.Output;
        }

        return null;
    }

    private IReadOnlyCollection<int> Blame(Match error)
    {
        var path = error.Groups["path"].Value;
        if (!projects.Any(project => project.Texts.ContainsKey(Path.GetRelativePath(root, path)))) return [];
        var tree = CSharpSyntaxTree.ParseText(SourceText.From(File.ReadAllText(path)));
        var line = tree.GetText().Lines[int.Parse(error.Groups["line"].Value, CultureInfo.InvariantCulture) - 1];
        var start = line.Start + int.Parse(error.Groups["column"].Value, CultureInfo.InvariantCulture) - 1;
        return GuardFinder.Blame(tree.GetRoot(), new TextSpan(start, 0));
    }

    [GeneratedRegex(@"^(?<path>/[^(\n]+)\((?<line>\d+),(?<column>\d+)\): error ", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex ErrorLine();
}
