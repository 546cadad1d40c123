// Do the fault catalogue and the tests of faults name each other?
using System.Reflection;
using System.Text.RegularExpressions;
using KeyEvt.EndToEnd.Tests.Faults;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Catalogue;

/// <summary>
/// FAULTS.md has a row for each fault, and names the classes of tests that show it. A class in the folder Faults is named by its row: B01_BrokerKilledTests. Classes elsewhere have any name.
/// </summary>
public sealed partial class CatalogueTests
{
    private static readonly string Tests = TestsFolder();

    /// <summary>Row to the classes that it names.</summary>
    private static readonly IReadOnlyList<(string Row, string[] Classes)> Rows =
    [
        .. File.ReadLines(Path.Combine(Tests, "EndToEnd.Tests", "Faults", "FAULTS.md"))
            .Select(line => Row().Match(line))
            .Where(match => match.Success)
            .Select(match => (match.Groups["row"].Value, ClassName().Matches(match.Groups["tests"].Value).Select(name => name.Groups[1].Value).ToArray())),
    ];

    /// <summary>Every class with tests in the folder Faults.</summary>
    private static IEnumerable<string> FaultClasses =>
        from type in typeof(FaultStage).Assembly.GetTypes()
        where type.Namespace == typeof(FaultStage).Namespace && type.GetMethods().Any(method => method.GetCustomAttributes<FactAttribute>().Any())
        select type.Name;

    [Fact]
    public void Rows_are_numbered_without_a_hole()
    {
        Assert.All(Rows.GroupBy(row => row.Row[0]), letter => Assert.Equal(Enumerable.Range(1, letter.Count()).Select(number => $"{letter.Key}{number:00}"), letter.Select(row => row.Row)));
        Assert.Equal("BRPS", string.Concat(Rows.Select(row => row.Row[0]).Distinct()));
    }

    [Fact]
    public void Every_row_names_a_class_of_tests_and_every_named_class_is_there()
    {
        var files = Directory.EnumerateFiles(Tests, "*Tests.cs", SearchOption.AllDirectories).ToLookup(Path.GetFileNameWithoutExtension);
        Assert.All(Rows, row => Assert.True(row.Classes.Length > 0, $"row {row.Row} names no class"));
        Assert.All(Rows.SelectMany(row => row.Classes), name => Assert.Contains(
            files[name].Select(File.ReadAllText),
            source => source.Contains($"class {name}", StringComparison.Ordinal) && TestAttribute().IsMatch(source)));
    }

    [Fact]
    public void Every_class_of_tests_of_faults_is_named_by_its_row_and_stands_in_it()
    {
        Assert.NotEmpty(FaultClasses);
        Assert.All(FaultClasses, name =>
        {
            Assert.Matches("^[BRPS][0-9]{2}_[A-Z][A-Za-z0-9]*Tests$", name);
            Assert.Contains(name, Assert.Single(Rows, row => row.Row == name[..3]).Classes);
        });
    }

    [Fact]
    public void Every_test_elsewhere_that_begins_with_a_row_stands_in_it()
    {
        var sources = Directory.EnumerateFiles(Tests, "*Tests.cs", SearchOption.AllDirectories).Select(path => (Class: Path.GetFileNameWithoutExtension(path), Text: File.ReadAllText(path)));
        var named = sources.SelectMany(source => RowsOfMethod().Matches(source.Text)
            .SelectMany(method => RowOfMethod().Matches(method.Value))
            .Select(row => (source.Class, Row: row.Groups[1].Value + row.Groups[2].Value.PadLeft(2, '0')))).Distinct().ToList();
        Assert.NotEmpty(named);
        Assert.All(named, test => Assert.Contains(test.Class, Assert.Single(Rows, row => row.Row == test.Row).Classes));
    }

    private static string TestsFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KeyEvt.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no folder above the tests holds KeyEvt.slnx");
        }

        return Path.Combine(folder.FullName, "tests");
    }

    /// <summary>A row of a table: its name first, its tests in the last column.</summary>
    [GeneratedRegex(@"^\| (?<row>[BRPS][0-9]{2}) \|.*\| (?<tests>[^|]+) \|$")]
    private static partial Regex Row();

    [GeneratedRegex("`([A-Za-z0-9_]+)`")]
    private static partial Regex ClassName();

    [GeneratedRegex(@"\[(Fact|Theory)\b")]
    private static partial Regex TestAttribute();

    /// <summary>The beginning of a test that stands for one row or for several: R18_B17_A_million_entries.</summary>
    [GeneratedRegex(@"(?<= (Task|void) )([BRPS][0-9]{1,2}_)+")]
    private static partial Regex RowsOfMethod();

    [GeneratedRegex("([BRPS])([0-9]+)_")]
    private static partial Regex RowOfMethod();
}
