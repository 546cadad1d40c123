using KeyEvt.Proxy.Intercept;
using KeyEvt.Servers.Docs;
using Xunit;

namespace KeyEvt.Proxy.Tests.Docs;

/// <summary>Do the pages that are written by hand name all that the program has?</summary>
public sealed class PageTests
{
    [Fact]
    public void Every_command_has_its_place_in_the_table_of_commands()
    {
        var table = Repository.Read("docs/commands.md").Split('\n').Where(line => line.StartsWith("| `key_evt_amqp.", StringComparison.Ordinal)).ToList();
        Assert.All(CommandTable.All, command => Assert.Contains(table, line => Names(line, command.Name)));
    }

    [Fact]
    public void Every_command_is_shown_at_work()
    {
        var typed = MarkdownBlock.Of("docs/commands.md").Where(block => block.Language == "console" && block.NotRun is null).SelectMany(block => block.Lines).Where(line => line.StartsWith("$ ", StringComparison.Ordinal)).ToList();
        Assert.All(CommandTable.All, command => Assert.Contains(typed, line => line.Split(' ').Contains($"key_evt_amqp.{command.Name}")));
    }

    [Theory]
    [InlineData("csharp", "docs/examples/dotnet/Program.cs")]
    [InlineData("javascript", "docs/examples/node/consumer.mjs")]
    [InlineData("python", "docs/examples/python/consumer.py")]
    public void The_page_of_messages_shows_the_consumers_that_are_tested(string language, string file)
        => Assert.Contains(MarkdownBlock.Of("docs/messages.md"), block => block.Language == language && block.Text == Repository.Read(file).TrimEnd());

    [Fact]
    public void The_readme_is_short() => Assert.InRange(Repository.Read("README.md").Split('\n').Length, 60, 150);

    private static bool Names(string row, string command)
        => row.Contains($"`key_evt_amqp.{command}`", StringComparison.Ordinal) || row.Contains($"`key_evt_amqp.{command} ", StringComparison.Ordinal);
}
