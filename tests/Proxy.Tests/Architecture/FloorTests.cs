// Do the rooms of each project stand on floors, without a circle, and does docs/architecture.md show them as they are?
using System.Text.RegularExpressions;
using Xunit;

namespace KeyEvt.Proxy.Tests.Architecture;

/// <summary>Half a minute of processor time, as the whole source is compiled: <c>scripts/test.sh unit</c> leaves these out.</summary>
[Trait("Needs", "compiler")]
public sealed partial class FloorTests
{
    private const string Page = "docs/architecture.md";

    private static readonly string[] Layers = ["src/Resp", "src/Forwarder", "src/Proxy"];

    public static TheoryData<string> Projects => [.. SourceTree.Files.Select(SourceTree.ProjectOf).Distinct()];

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_circle_runs_through_the_folders_of_a_project(string project)
    {
        var circle = new RoomGraph(project).Circle();
        Assert.True(circle.Count == 0, "a circle of folders:\n" + string.Join('\n', circle));
    }

    [Fact]
    public void Projects_use_only_those_below_them()
    {
        var upward = UseFinder.Uses.Where(use => LayerOf(use.From) is >= 0 and var from && LayerOf(use.To) > from);
        Assert.Empty(upward);
        Assert.DoesNotContain(UseFinder.Uses, use => LayerOf(use.From) >= 0 && LayerOf(use.To) < 0);
        Assert.Contains(UseFinder.Uses, use => LayerOf(use.From) == 2 && LayerOf(use.To) == 0); // so that an empty list of uses is no success
    }

    [Theory]
    [InlineData("src/Resp")]
    [InlineData("src/Forwarder")]
    [InlineData("src/Proxy")]
    public void The_picture_of_the_floors_is_true(string project)
    {
        var graph = new RoomGraph(project);
        Assert.Empty(graph.Circle()); // or there are no floors
        var rooms = graph.Rooms.Select(room => (Floor: graph.FloorOf(room), Room: room)).OrderByDescending(each => each.Floor).ThenBy(each => each.Room, StringComparer.Ordinal).ToList();
        var path = Path.Combine(SourceTree.Root, Page);
        var text = File.ReadAllText(path);
        var shown = Row().Matches(text).Where(row => SourceTree.ProjectOf(row.Groups["room"].Value + "/") == project).ToList();
        var purposes = shown.ToDictionary(row => row.Groups["room"].Value, row => row.Groups["purpose"].Value);
        var right = rooms.Select(each => $"| {each.Floor} | `{each.Room}` | {purposes.GetValueOrDefault(each.Room, "?")} |").ToList();
        if (Environment.GetEnvironmentVariable("KEYEVT_WRITE_DOCS") == "1" && shown.Count > 0)
        {
            var first = text.IndexOf(shown[0].Value, StringComparison.Ordinal);
            foreach (var row in shown) text = text.Replace(row.Value + "\n", "", StringComparison.Ordinal);
            File.WriteAllText(path, text.Insert(first, string.Concat(right.Select(line => line + "\n"))));
            return;
        }

        Assert.Equal(right, shown.Select(row => row.Value));
        Assert.DoesNotContain("?", purposes.Values);
    }

    /// <summary>-1: none of the program's.</summary>
    private static int LayerOf(string file) => Array.IndexOf(Layers, SourceTree.ProjectOf(file));

    [GeneratedRegex(@"^\| (?<floor>\d+) \| `(?<room>src/[^`]+)` \| (?<purpose>.+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
