using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace KeyEvt.Proxy.Tests.Project;

/// <summary>Is the version written in one place, Directory.Build.props, and does everything else follow it?</summary>
public sealed partial class VersionTests
{
    private static readonly string Version = XDocument.Parse(ProjectFolder.Read("Directory.Build.props")).Descendants("Version").Single().Value;

    [Fact]
    public async Task The_program_prints_it()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(0, await Application.RunAsync(["--version"], [], output, error));
        Assert.Equal(Version, output.ToString().Trim().Split('+')[0]); // behind the plus stands the commit, in a build from a git checkout
    }

    [Fact]
    public void The_newest_entry_of_the_changelog_is_about_it()
    {
        var entries = ChangelogEntry().Matches(ProjectFolder.Read("CHANGELOG.md")).Select(entry => entry.Groups[1].Value).ToList();
        Assert.Equal(Version, entries[0]);
        Assert.Equal(entries.Count, entries.Distinct().Count());
    }

    /// <summary>Where somebody may want to repeat it. Lock files do, but a restore writes them; other files may hold the same digits for another reason.</summary>
    [Fact]
    public void Nothing_else_repeats_it()
    {
        string[] files =
        [
            "Dockerfile", .. ProjectFolder.Files(".github", "*"), .. ProjectFolder.Files("scripts", "*.sh"),
            .. ProjectFolder.Files("src", "*.cs"), .. ProjectFolder.Files("src", "*.csproj"), .. ProjectFolder.Files("src", "*.props"), .. ProjectFolder.Files("tests", "*.csproj"),
        ];
        Assert.Contains(Path.Combine(".github", "workflows", "release.yml"), files);
        var version = new Regex($@"(?<![\d.]){Regex.Escape(Version)}(?![\d.]*\d)");
        Assert.All(files, file => Assert.DoesNotMatch(version, ProjectFolder.Read(file)));
    }

    [GeneratedRegex(@"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", RegexOptions.Multiline)]
    private static partial Regex ChangelogEntry();
}
