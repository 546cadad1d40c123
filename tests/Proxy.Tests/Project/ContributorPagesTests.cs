using System.Text.RegularExpressions;
using Xunit;

namespace KeyEvt.Proxy.Tests.Project;

/// <summary>Do the pages for contributors name only what exists?</summary>
public sealed partial class ContributorPagesTests
{
    private const string Folder = "docs/contributing";

    /// <summary>Those whose names in code type are all our own. The others also name types of libraries.</summary>
    public static TheoryData<string> PagesOfOwnTypes => ["add-a-command.md", "add-an-option.md", "add-a-fault-row.md"];

    public static TheoryData<string> Pages => [.. ProjectFolder.Files(Folder, "*.md"), "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "THIRD-PARTY-NOTICES.md", ".github/pull_request_template.md"];

    [Theory]
    [MemberData(nameof(PagesOfOwnTypes))]
    public void Every_type_that_they_name_is_declared_somewhere(string page)
    {
        var named = CodeSpan().Matches(ProjectFolder.Read(Path.Combine(Folder, page))).Select(span => span.Groups[1].Value).Where(text => TypeName().IsMatch(text)).Distinct().ToList();
        Assert.True(named.Count >= 5, "the page's types are not found");
        Assert.All(named, name => Assert.Contains(name, Declared));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_inside_the_project_leads_somewhere(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(ProjectFolder.Root, page))!;
        var targets = Link().Matches(ProjectFolder.Read(page)).Select(link => link.Groups[1].Value.Split('#')[0]).Where(target => target.Length > 0 && !target.Contains("://", StringComparison.Ordinal));
        Assert.All(targets, target => Assert.True(Path.Exists(Path.Combine(folder, target)), $"{page}: there is no {target}"));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_script_that_they_name_is_there(string page)
    {
        var scripts = ScriptName().Matches(ProjectFolder.Read(page)).Select(script => script.Value).Distinct();
        Assert.All(scripts, script => Assert.True(File.Exists(Path.Combine(ProjectFolder.Root, script)), $"{page}: there is no {script}"));
    }

    [Fact]
    public void Contributors_find_every_page_from_the_first_one()
    {
        var first = ProjectFolder.Read("CONTRIBUTING.md");
        Assert.All(ProjectFolder.Files(Folder, "*.md"), page => Assert.Contains($"({page})", first, StringComparison.Ordinal));
    }

    /// <summary>Types and enum members: what a page may name.</summary>
    private static readonly HashSet<string> Declared =
    [
        .. ((string[])["src", "tests"]).SelectMany(folder => ProjectFolder.Files(folder, "*.cs")).SelectMany(file => Declaration().Matches(ProjectFolder.Read(file))).Select(declaration => declaration.Groups[1].Value),
    ];

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex CodeSpan();

    // KeyEvtCommands; but not Faults, Change or SUBSCRIBE.
    [GeneratedRegex("^[A-Z][a-z]+([A-Z][a-zA-Z]*)+$")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\b(?:class|record|struct|interface|enum|record struct) ([A-Z]\w+)")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\bscripts/[a-z-]+\.sh\b")]
    private static partial Regex ScriptName();
}
