// Is the part of the code style kept that no analyzer knows: where a body without braces stands?
using System.Text.RegularExpressions;
using Xunit;

namespace KeyEvt.Proxy.Tests;

public sealed partial class SourceStyleTests
{
    private const int MaxColumns = 140;

    /// <summary>An else, or a head whose parentheses are closed. The analyzer IDE0011 looks after heads of several lines.</summary>
    private const string Head = @"((else )?(if|for|foreach|while|lock|fixed) \((?>[^()]|(?<open>\()|(?<-open>\)))*(?(open)(?!))\)|else)";

    [Fact]
    public void A_body_without_braces_stands_on_the_line_of_its_condition()
    {
        var files = SourceFiles().ToList();
        Assert.True(files.Count > 100, $"only {files.Count} source files were found");

        Assert.Empty(files.SelectMany(file => Faults(File.ReadAllLines(file)).Select(fault => $"{file}:{fault}")));
    }

    [Theory]
    [InlineData("if (a) return;", 0)]
    [InlineData("if (a) return; // why", 0)]
    [InlineData("if (a)\n{\n    b();\n}", 0)]
    [InlineData("if (a) // why\n{\n    b();\n}", 0)]
    [InlineData("if (a) b();\nelse c();", 0)]
    [InlineData("while (TryRead(out _)) { }", 0)]
    [InlineData("if (a)\n    return;", 1)]
    [InlineData("if (a) // why\n    return;", 1)]
    [InlineData("if (a) b();\nelse\n    c();", 1)]
    [InlineData("foreach (var b in a)\n    b();", 1)]
    [InlineData("foreach (var b in a) if (b) c();", 1)]
    [InlineData("if (a) b();\nelse if (c)\n    d();", 1)]
    public void What_counts_as_a_fault(string text, int faults) => Assert.Equal(faults, Faults(text.Split('\n')).Count());

    [Theory]
    [InlineData(MaxColumns, 0)]
    [InlineData(MaxColumns + 1, 1)]
    public void A_statement_without_braces_fits_on_the_line(int columns, int faults)
    {
        const string Rest = "if (a) ();";
        Assert.Equal(faults, Faults([Rest.Insert(Rest.IndexOf("()", StringComparison.Ordinal), new string('b', columns - Rest.Length))]).Count());
    }

    private static IEnumerable<string> Faults(string[] lines)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            if (HeadAlone().IsMatch(line) && i + 1 < lines.Length && !lines[i + 1].TrimStart().StartsWith('{'))
            {
                yield return $"{i + 1}: the body belongs on this line, or in braces";
            }

            if (HeadInHead().IsMatch(line) || (line.Length > MaxColumns && HeadAndBody().IsMatch(line)))
            {
                yield return $"{i + 1}: the body belongs in braces";
            }
        }
    }

    [GeneratedRegex($@"^\s*{Head}\s*(//.*)?$")]
    private static partial Regex HeadAlone();

    [GeneratedRegex($@"^\s*{Head} (?!if\b)[^{{\s/]")]
    private static partial Regex HeadAndBody();

    [GeneratedRegex($@"^\s*{Head} (if|for|foreach|while|lock|using|try)\b(?<!\belse if)")]
    private static partial Regex HeadInHead();

    private static IEnumerable<string> SourceFiles()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "KeyEvt.slnx")))
        {
            root = root.Parent ?? throw new InvalidOperationException("not inside the repository");
        }

        return new[] { "src", "tests", "bench" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root.FullName, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal));
    }
}
