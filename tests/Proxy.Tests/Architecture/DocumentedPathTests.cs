// Do the documents name files that are there?
using System.Text.RegularExpressions;
using Xunit;

namespace KeyEvt.Proxy.Tests.Architecture;

public sealed partial class DocumentedPathTests
{
    [Fact]
    public void Every_path_that_a_page_names_exists()
    {
        var pages = Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "docs"), "*.md", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(SourceTree.Root, "*.md"));
        var paths = pages.SelectMany(page => PathInText().Matches(File.ReadAllText(page)).Select(path => (Page: Path.GetFileName(page), Named: path.Value.TrimEnd('.', '/')))).ToList();
        Assert.Contains(paths, path => path.Named.StartsWith("src/", StringComparison.Ordinal));
        Assert.DoesNotContain(paths, path => !Path.Exists(Path.Combine(SourceTree.Root, path.Named)));
    }

    [Fact]
    public void Twenty_behaviours_are_each_answered_by_one_file()
    {
        var text = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "architecture.md"));
        var rows = Row().Matches(text[text.IndexOf("## Where do I look for", StringComparison.Ordinal)..]);
        Assert.Equal(20, rows.Count);
        Assert.All(rows, row => Assert.True(File.Exists(Path.Combine(SourceTree.Root, row.Groups["file"].Value)), row.Value));
    }

    [GeneratedRegex(@"(?<![\w/.-])(src|tests|bench|scripts)/[\w./-]+")]
    private static partial Regex PathInText();

    [GeneratedRegex(@"^\| [^|]+ \| `(?<file>[^`]+\.cs)` \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
