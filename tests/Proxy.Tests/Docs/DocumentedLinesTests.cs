using System.Text.RegularExpressions;
using KeyEvt.Proxy.Options;
using KeyEvt.Servers.Docs;
using Xunit;

namespace KeyEvt.Proxy.Tests.Docs;

/// <summary>
/// Would the lines that the documents show work? Here without servers: what is in blocks of sh is read by the shell and by the program's own parser of options.
/// Blocks of console are run by DocumentedCommandsTests of the end-to-end tests.
/// </summary>
public sealed partial class DocumentedLinesTests
{
    /// <summary>How many blocks of a page no test runs. Each says why on the line before it.</summary>
    private static readonly Dictionary<string, int> NotRun = new() { ["docs/security.md"] = 1 };

    /// <summary>Languages of blocks that hold no command lines.</summary>
    private static readonly string[] NoCommands = ["json", "yaml", "ini", "conf", "toml", "text", "csharp", "javascript", "python", "mermaid", "promql", "xml", "dockerfile"];

    /// <summary>Variables of the project's scripts and tests, which are no options.</summary>
    private static readonly string[] OtherVariables = ["KEYEVT_WRITE_DOCS"];

    private static IEnumerable<MarkdownBlock> Blocks => Repository.Documents.SelectMany(MarkdownBlock.Of);

    public static TheoryData<string> Pages => [.. Repository.Documents];

    [Fact]
    public void Every_block_says_what_it_is()
        => Assert.All(Blocks, block => Assert.True(
            block.Language is "sh" or "console" || NoCommands.Contains(block.Language) || (block.Language.Length == 0 && !block.Lines.Any(line => CommandLine().IsMatch(line))),
            $"{block}: say sh, console or another language, not '{block.Language}'"));

    [Fact]
    public void The_blocks_that_no_test_runs_are_known()
    {
        var found = Blocks.Where(block => block.NotRun is not null).GroupBy(block => block.Page).ToDictionary(page => page.Key, page => page.Count());
        Assert.All(Blocks, block => Assert.NotEqual("", block.NotRun));
        Assert.Equal(NotRun.OrderBy(page => page.Key, StringComparer.Ordinal), found.OrderBy(page => page.Key, StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void The_shell_understands_every_line(string page)
        => Assert.All(MarkdownBlock.Of(page).Where(block => block.Language == "sh"), block => Assert.Equal("", ShellLine.Shell("-n", "-c", block.Text)));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_line_that_starts_keyevt_has_good_options(string page)
        => Assert.All(Lines(page, "keyevt"), line => Assert.True(Faults(line.Words, line.Variables) is [], $"{line}\n{string.Join('\n', Faults(line.Words, line.Variables))}"));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_line_of_docker_has_options_that_exist(string page)
        => Assert.All(Lines(page, "docker"), line =>
        {
            var docker = DockerLine.Read(line.Words);
            Assert.True(docker.UnknownOption is null, $"{line}\n{docker.UnknownOption} is no option of docker that this test knows");
            var faults = docker.Image is "keyevt" ? Faults(docker.Arguments, docker.Variables) : [];
            Assert.True(faults is [], $"{line}\n{string.Join('\n', faults)}");
        });

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_variable_that_is_named_is_an_option(string page)
    {
        var known = OptionTable.WithConfig.Select(option => option.EnvironmentName).Concat(OtherVariables).ToHashSet();
        Assert.All(Variable().Matches(Repository.Read(page)), variable => Assert.Contains(variable.Value, known));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_to_a_file_leads_to_one(string page)
        => Assert.All(Link().Matches(Repository.Read(page)).Select(link => link.Groups[1].Value).Where(target => !target.Contains(':', StringComparison.Ordinal)), target =>
        {
            var (file, heading) = target.Split('#', 2) is [var before, var behind] ? (before, behind) : (target, null);
            var path = file.Length == 0 ? page : Path.GetRelativePath(Repository.Root, Path.Combine(Repository.Root, Path.GetDirectoryName(page) ?? "", file));
            Assert.True(Path.Exists(Repository.PathOf(path)), $"{page} leads to {target}, which is not there");
            if (heading is not null) Assert.Contains(heading, Headings(path));
        });

    private static IEnumerable<ShellLine> Lines(string page, string program)
        => MarkdownBlock.Of(page).Where(block => block.Language == "sh").SelectMany(ShellLine.Of).Where(line => line.Program == program);

    /// <summary>What the program would say of this command line. Files need not be there.</summary>
    private static List<string> Faults(IReadOnlyList<string> words, IReadOnlyList<KeyValuePair<string, string>> variables)
    {
        using var files = new NamedFiles();
        var faults = new List<string>();
        var options = new CommandLineSource().Read([.. words.Select((word, at) => at > 0 ? files.InPlaceOf(words[at - 1], word) : word)], faults, out _, out var answer);
        options.Remove(OptionTable.Config.Name);
        if (answer is null)
        {
            OptionPrecedence.Load(options, variables.Select(pair => KeyValuePair.Create(pair.Key, files.InPlaceOf(pair.Key, pair.Value))), faults);
        }

        return faults;
    }

    /// <summary>The names that GitHub gives the headings of a page.</summary>
    private static IEnumerable<string> Headings(string page)
        => Repository.Read(page).Split('\n').Where(line => line.StartsWith('#'))
            .Select(line => NotInAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    // What looks as if it should be typed.
    [GeneratedRegex(@"^\s*(\$ |(keyevt|docker|redis-cli|dotnet|curl|git|npm|scripts/|\./)\b)")]
    private static partial Regex CommandLine();

    [GeneratedRegex("KEYEVT_[A-Z_]+[A-Z]")]
    private static partial Regex Variable();

    // [text](target), not an image and not in a block of code.
    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
