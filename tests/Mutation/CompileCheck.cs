// Which mutants does the compiler take?
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace KeyEvt.Mutation;

/// <summary>Compiles the projects in memory, with and without mutants, and names the mutants that do not compile.</summary>
/// <remarks>Source generators are not run, so some errors are there without any mutant; those are left out.</remarks>
internal sealed class CompileCheck
{
    private readonly IReadOnlyList<SourceProject> _projects;
    private readonly Dictionary<string, CSharpCompilation> _originals = [];
    private readonly Dictionary<string, SyntaxTree> _trees = [];
    private readonly HashSet<string> _errorsWithout = [];

    /// <param name="projects">Each behind those that it refers to.</param>
    public CompileCheck(IReadOnlyList<SourceProject> projects)
    {
        _projects = projects;
        foreach (var project in projects)
        {
            foreach (var (file, text) in project.Texts) _trees[file] = project.Parse(text, file);
            var compilation = project.Compile(_trees, _originals.Values);
            _originals[project.Path] = compilation;
            _errorsWithout.UnionWith(ErrorsOf(compilation).Select(Describe));
        }
    }

    /// <summary>All changes of the files for which <paramref name="isWanted"/> is true, in an order that depends on nothing but the source.</summary>
    public IReadOnlyList<Mutant> FindMutants(Func<string, bool> isWanted) =>
        [.. _projects
            .SelectMany(project => project.Texts.Keys.Select(file => (project, file)))
            .Where(item => isWanted(item.file))
            .OrderBy(item => item.file, StringComparer.Ordinal)
            .SelectMany(item => MutantFinder.Find(item.file, _originals[item.project.Path].GetSemanticModel(_trees[item.file])))];

    /// <summary>The numbers of mutants that the compiler refuses. Their absence can bring out more: ask again without them.</summary>
    public IReadOnlySet<int> Refused(IReadOnlyList<Mutant> mutants)
    {
        var byFile = mutants.ToLookup(mutant => mutant.File);
        var refused = new HashSet<int>();
        foreach (var project in _projects.Where(project => project.Texts.Keys.Any(byFile.Contains)))
        {
            var trees = project.Texts.ToDictionary(file => file.Key, file => byFile.Contains(file.Key) ? project.Parse(GuardWriter.Write(file.Value, byFile[file.Key]), file.Key) : _trees[file.Key]);
            foreach (var error in ErrorsOf(project.Compile(trees, _originals.Values.Where(other => other != _originals[project.Path]))).Where(error => !_errorsWithout.Contains(Describe(error))))
            {
                var blamed = error.Location.SourceTree is { } tree ? GuardFinder.Blame(tree.GetRoot(), error.Location.SourceSpan) : [];
                if (blamed.Count == 0) throw new MutationException($"no mutant is to blame for this error in the copy: {error}");
                refused.UnionWith(blamed);
            }
        }

        return refused;
    }

    private static IEnumerable<Diagnostic> ErrorsOf(CSharpCompilation compilation) =>
        compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);

    private static string Describe(Diagnostic error) =>
        $"{error.Location.SourceTree?.FilePath} {error.Id} {error.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}";
}
