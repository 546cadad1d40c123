// Does each row of the fault catalogue have a test, and is it there?
using System.Text.RegularExpressions;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>FAULTS.md names a test for each row: class and method, somewhere under tests/.</summary>
public sealed partial class CatalogueTests
{
    [Fact]
    public void Every_test_that_the_catalogue_names_is_there()
    {
        var tests = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(tests.FullName, "KeyEvt.slnx")))
            tests = tests.Parent ?? throw new DirectoryNotFoundException("the project's folder is not above the tests");
        var folder = Path.Combine(tests.FullName, "tests");
        var rows = File.ReadAllLines(Path.Combine(folder, "EndToEnd.Tests", "Faults", "FAULTS.md")).Where(line => Row().IsMatch(line)).ToList();
        var sources = Directory.EnumerateFiles(folder, "*Tests.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        Assert.True(rows.Count > 50, "the catalogue's table is not found");
        Assert.All(rows, row =>
        {
            var named = Test().Matches(row);
            Assert.True(named.Count > 0 || row.Contains("none yet", StringComparison.Ordinal), $"no test: {row}");
            Assert.All(named, test => Assert.Contains(
                sources,
                source => source.Contains($"class {test.Groups[1].Value}", StringComparison.Ordinal) && source.Contains($" {test.Groups[2].Value}(", StringComparison.Ordinal)));
        });
    }

    [GeneratedRegex(@"^\| [BRPS][0-9]+ \|")]
    private static partial Regex Row();

    [GeneratedRegex("`([A-Za-z0-9]+Tests)\\.([A-Za-z0-9_]+)`")]
    private static partial Regex Test();
}
