using System.Diagnostics;
using Xunit;

namespace KeyEvt.Proxy.Tests.Project;

/// <summary>Do the small scripts of the project say what is so? They need no servers.</summary>
public sealed class ProjectScriptTests
{
    private static readonly string Version = System.Xml.Linq.XDocument.Parse(ProjectFolder.Read("Directory.Build.props")).Descendants("Version").Single().Value;

    [Fact]
    public async Task The_notices_of_third_parties_name_the_packages_of_the_lock_file() => Assert.Equal((0, "", ""), await RunAsync("notices.sh", "--check"));

    [Fact]
    public async Task The_version_is_printed_for_other_scripts() => Assert.Equal((0, Version + "\n", ""), await RunAsync("version.sh"));

    [Fact]
    public async Task A_tag_of_this_version_is_taken() => Assert.Equal((0, "", ""), await RunAsync("version.sh", "--is", "v" + Version));

    [Fact]
    public async Task A_tag_of_another_version_is_refused()
    {
        var (code, _, error) = await RunAsync("version.sh", "--is", "v" + Version + "1");
        Assert.Equal(1, code);
        Assert.Contains("expected v" + Version, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_notes_of_a_release_are_the_entry_of_the_changelog()
    {
        var (code, notes, _) = await RunAsync("version.sh", "--notes");
        Assert.Equal(0, code);
        Assert.Contains("### Added", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("\n## ", "\n" + notes, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version.sh", "--what")]
    [InlineData("notices.sh", "--what")]
    [InlineData("group-campaign.sh", "many")]
    [InlineData("simulate.sh", "long")]
    [InlineData("check-subjects.sh", "HEAD")]
    [InlineData("check-subjects.sh", "no-such-commit..no-such-commit")]
    [InlineData("test.sh", "units")]
    public async Task A_wrong_argument_is_told_how_it_is_used(string script, string argument)
    {
        var (code, output, error) = await RunAsync(script, argument);
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith($"usage: scripts/{script}", error, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(ProjectFolder.Root, "scripts", script), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }
}
