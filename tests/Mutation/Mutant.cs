// Which one change of the source is this?
using Microsoft.CodeAnalysis.Text;

namespace KeyEvt.Mutation;

/// <summary>One change of the source.</summary>
/// <param name="File">The file, from the root of the tree.</param>
/// <param name="Line">The line of the change, from 1.</param>
/// <param name="Span">The original text that is changed.</param>
/// <param name="Form">How the change and the original stand side by side in one program.</param>
/// <param name="Original">The original text.</param>
/// <param name="Mutated">The text in its place.</param>
/// <param name="Cast">A type that both must be cast to, because the original was a constant; null in most places.</param>
internal sealed record Mutant(string File, int Line, TextSpan Span, MutantForm Form, string Original, string Mutated, string? Cast = null)
{
    /// <summary>Its number in the program, from 1.</summary>
    public int Id { get; init; }

    /// <summary>The folder of the file.</summary>
    public string Room => Path.GetDirectoryName(File)!.Replace('\\', '/');
}
