// Which file uses a type of which other file? Asked of the compiler, not of the text.
using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KeyEvt.Proxy.Tests.Architecture;

/// <summary>
/// Compiles all source as one, so that every name can be asked what it stands for. Comments do not count: a page may point to any other. Errors of that compilation do not matter, as the
/// build has its own; generated code is not there.
/// </summary>
internal static class UseFinder
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;";

    private static readonly Lazy<IReadOnlyList<Use>> Found = new(Find);

    /// <summary>One for each pair of file and used type: the first in the file.</summary>
    public static IReadOnlyList<Use> Uses => Found.Value;

    private static List<Use> Find()
    {
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        var trees = SourceTree.Files.AsParallel().AsOrdered().Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(SourceTree.Root, file)), options, file)).ToList();
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("keyevt", StringComparison.OrdinalIgnoreCase))
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            "all", [.. trees, CSharpSyntaxTree.ParseText(ImplicitUsings, options)], references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
        var uses = new ConcurrentBag<Use>();
        trees.AsParallel().ForAll(tree => Look(tree, compilation.GetSemanticModel(tree), uses));
        return [.. uses.OrderBy(use => use.From, StringComparer.Ordinal).ThenBy(use => use.Line)];
    }

    private static void Look(SyntaxTree tree, SemanticModel model, ConcurrentBag<Use> uses)
    {
        var seen = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
        {
            var info = model.GetSymbolInfo(name);
            if (OutermostType(info.Symbol ?? info.CandidateSymbols.FirstOrDefault()) is not { } type || !seen.Add(type)) continue;
            var places = type.DeclaringSyntaxReferences.Select(place => place.SyntaxTree.FilePath).ToList();
            if (places is [{ Length: > 0 } only] && only != tree.FilePath)
            {
                uses.Add(new Use(tree.FilePath, tree.GetLineSpan(name.Span).StartLinePosition.Line + 1, type.Name, only));
            }
        }
    }

    private static INamedTypeSymbol? OutermostType(ISymbol? symbol)
    {
        var type = symbol as INamedTypeSymbol ?? symbol?.ContainingType;
        while (type?.ContainingType is { } outer) type = outer;
        return type?.OriginalDefinition;
    }
}
