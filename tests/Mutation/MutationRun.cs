// In which steps are the mutants found, built and tried?
using System.Globalization;

namespace KeyEvt.Mutation;

/// <summary>One whole run.</summary>
/// <param name="root">The root of the source tree; it stays as it is.</param>
/// <param name="options">What is asked for.</param>
/// <param name="output">Where the results go.</param>
internal sealed class MutationRun(string root, MutationOptions options, TextWriter output)
{
    private const string Source = "src";

    public async Task RunAsync()
    {
        using var copy = await SourceCopy.MakeAsync(root, options.Keep);
        Say($"seed {options.Seed}");
        if (options.Keep) Say($"the copy is {copy.Root}");
        foreach (var folder in options.Tests)
        {
            var restore = await Command.RunAsync("dotnet", ["restore", folder, "-v", "quiet"], copy.Root);
            if (restore.ExitCode != 0) throw new MutationException($"the packages of {folder} are not restored: {restore.Output}");
        }

        var projects = await LoadProjectsAsync(copy.Root);
        var check = new CompileCheck(projects);
        var candidates = check.FindMutants(options.IsWanted);
        if (candidates.Count == 0) throw new MutationException($"nothing can be changed in {string.Join(", ", options.Folders)}");
        var chosen = MutantChoice.Choose(candidates, options.Count, options.Seed, check);
        Say($"{candidates.Count} places can be changed, {chosen.Count} are chosen");

        var mutants = await new MutantBuild(copy.Root, projects, options.Tests).BuildAsync(chosen);
        Say($"{mutants.Count} mutants are built");

        var runner = new TestRunner(options.Seed);
        var classes = await new Coverage(runner, mutants, options.Parallel, output).MeasureAsync(options.Tests.Select(folder => AssemblyOf(copy.Root, folder)));
        Say($"{classes.Count} test classes pass without a mutant");
        output.WriteLine();

        var tried = options.Only.Count == 0 ? mutants : [.. mutants.Where(mutant => options.Only.Contains(mutant.Id))];
        var report = new Report(output, tried);
        var trial = new Trial(runner, classes);
        await Parallel.ForEachAsync(tried, new ParallelOptions { MaxDegreeOfParallelism = options.Parallel }, async (mutant, _) => report.Add(await trial.RunAsync(mutant)));
        report.Summary();
    }

    /// <summary>The projects below src that the tests have restored.</summary>
    private static async Task<IReadOnlyList<SourceProject>> LoadProjectsAsync(string copy)
    {
        List<SourceProject> projects = [];
        foreach (var path in Directory.EnumerateFiles(Path.Combine(copy, Source), "*.csproj", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (File.Exists(Path.Combine(Path.GetDirectoryName(path)!, "obj", "project.assets.json")))
            {
                projects.Add(await SourceProject.LoadAsync(copy, path));
            }
        }

        return SourceProject.InOrder(projects);
    }

    /// <summary>The assembly of a test project is named after its project file.</summary>
    private static string AssemblyOf(string copy, string folder)
    {
        var name = Path.GetFileNameWithoutExtension(Directory.GetFiles(Path.Combine(copy, folder), "*.csproj").Single());
        return Directory.GetFiles(Path.Combine(copy, folder, "bin", "Release"), name + ".dll", SearchOption.AllDirectories).Single();
    }

    private void Say(FormattableString text)
    {
        output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
        output.Flush();
    }

}
