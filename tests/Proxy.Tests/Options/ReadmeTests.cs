using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Options;
using Xunit;

namespace KeyEvt.Proxy.Tests.Options;

/// <summary>Does the README say the same as the program?</summary>
public sealed class ReadmeTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(Root(), "README.md"));

    [Fact]
    public void The_table_of_options_is_that_of_the_program()
    {
        var expected = OptionTable.WithConfig.Select(Row).ToList();
        var actual = Lines.Where(line => line.StartsWith("| `--", StringComparison.Ordinal)).ToList();
        Assert.True(expected.SequenceEqual(actual), "the table must be:\n" + string.Join('\n', expected));
    }

    [Fact]
    public void Every_command_has_its_place_in_the_table_of_commands()
    {
        var table = Lines.Where(line => line.StartsWith("| `key_evt_amqp.", StringComparison.Ordinal)).ToList();
        Assert.All(CommandTable.All, command => Assert.Contains(table, line => line.Contains($"`key_evt_amqp.{command.Name}`", StringComparison.Ordinal) || line.Contains($"`key_evt_amqp.{command.Name} ", StringComparison.Ordinal)));
    }

    private static string Row(OptionSpec option)
    {
        string? shown = option.DefaultShown ?? option.Default;
        return $"| `--{option.Name}`{(option.Repeatable ? " *" : "")} | {(shown is null ? "" : $"`{shown}`")} | {option.Meaning.Replace("|", "\\|", StringComparison.Ordinal)} |";
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KeyEvt.slnx"))) folder = folder.Parent ?? throw new InvalidOperationException("not inside the repository");
        return folder.FullName;
    }
}
