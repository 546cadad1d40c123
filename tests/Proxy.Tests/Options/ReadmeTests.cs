using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Options;
using Xunit;

namespace KeyEvt.Proxy.Tests.Options;

/// <summary>Is the README's table of options what the program reads, and does it name every command?</summary>
public sealed class ReadmeTests
{
    private static readonly string Readme = File.ReadAllText(Path.Combine(RootFolder(), "README.md"));

    [Fact]
    public void Every_option_stands_in_the_table_with_its_default_and_meaning()
    {
        foreach (var option in OptionTable.WithConfig)
        {
            var shown = option.DefaultShown ?? option.Default;
            var row = $"| `--{option.Name}`{(option.Repeatable ? " *" : "")} | {(shown is null || option.DefaultShown is not null ? "" : $"`{shown}`")} | {option.Meaning.Replace("|", "\\|", StringComparison.Ordinal)} |";
            Assert.Contains(row, Readme, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_command_is_named()
    {
        foreach (var command in CommandTable.All)
            Assert.Matches($@"\b{command.Name}\b", Readme);
    }

    private static string RootFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KeyEvt.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException("the tests run outside of the project's folder");
    }
}
