// How is one project of src compiled?
using System.Text.Json;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace KeyEvt.Mutation;

/// <summary>A project of the copy, with the compiler's arguments as MSBuild gives them, and the original text of its files.</summary>
internal sealed class SourceProject
{
    private readonly CSharpCommandLineArguments _arguments;
    private readonly IReadOnlyList<SyntaxTree> _generated;

    private SourceProject(string root, string path, CSharpCommandLineArguments arguments)
    {
        Path = path;
        _arguments = arguments;
        var files = arguments.SourceFiles.Select(file => file.Path).ToList();
        Texts = files.Where(file => !IsGenerated(root, file)).ToDictionary(file => System.IO.Path.GetRelativePath(root, file).Replace('\\', '/'), File.ReadAllText);
        _generated = [.. files.Where(file => IsGenerated(root, file)).Append(null).Select(file => Parse(file is null ? SwitchSource.Text : File.ReadAllText(file), file ?? SwitchSource.FileName))];
    }

    public string Path { get; }

    /// <summary>The original text of each file, by its path from the root.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; }

    private string AssemblyName => System.IO.Path.GetFileNameWithoutExtension(_arguments.OutputFileName)!;

    /// <summary>Asks MSBuild; the project's packages are restored.</summary>
    public static async Task<SourceProject> LoadAsync(string root, string path)
    {
        var answer = await Command.RunAsync(
            "dotnet",
            ["msbuild", path, "-t:Compile", "-p:Configuration=Release", "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true", "-p:BuildProjectReferences=false", "-nodeReuse:false", "-getItem:CscCommandLineArgs"],
            root);
        if (answer.ExitCode != 0) throw new MutationException($"MSBuild does not say how {path} is compiled: {answer.Output}");
        using var json = JsonDocument.Parse(answer.Output);
        var arguments = json.RootElement.GetProperty("Items").GetProperty("CscCommandLineArgs").EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!);
        return new SourceProject(root, path, CSharpCommandLineParser.Default.Parse(arguments, System.IO.Path.GetDirectoryName(path), sdkDirectory: null));
    }

    /// <summary>Puts a project behind those that it refers to.</summary>
    public static IReadOnlyList<SourceProject> InOrder(IReadOnlyList<SourceProject> projects) =>
        [.. projects.OrderBy(project => projects.Count(other => project.RefersTo(other)))];

    /// <param name="texts">The text of each file; the originals or those with mutants.</param>
    /// <param name="below">The compilations of the projects in front of this one.</param>
    public CSharpCompilation Compile(IReadOnlyDictionary<string, SyntaxTree> texts, IEnumerable<CSharpCompilation> below)
    {
        var others = below.ToDictionary(compilation => compilation.AssemblyName!);
        var references = _arguments.MetadataReferences.Select(reference => others.TryGetValue(System.IO.Path.GetFileNameWithoutExtension(reference.Reference), out var other)
            ? other.ToMetadataReference()
            : (MetadataReference)MetadataReference.CreateFromFile(reference.Reference));
        var options = _arguments.CompilationOptions
            .WithAllowUnsafe(true).WithGeneralDiagnosticOption(ReportDiagnostic.Default).WithSpecificDiagnosticOptions([]).WithCryptoKeyFile(null);
        return CSharpCompilation.Create(AssemblyName, Texts.Keys.Select(file => texts[file]).Concat(_generated), references, options);
    }

    public SyntaxTree Parse(string text, string file) => CSharpSyntaxTree.ParseText(SourceText.From(text), _arguments.ParseOptions, file);

    private static bool IsGenerated(string root, string file) => System.IO.Path.GetRelativePath(root, file).Split('/', '\\').Contains("obj");

    private bool RefersTo(SourceProject other) =>
        _arguments.MetadataReferences.Any(reference => System.IO.Path.GetFileNameWithoutExtension(reference.Reference) == other.AssemblyName);
}
