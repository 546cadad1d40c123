using System.Text;
using KeyEvt.Proxy.Options;

namespace KeyEvt.Proxy.Tests.Docs;

/// <summary>What does docs/options.md say? One table for each group, one row for each option.</summary>
internal static class OptionsPage
{
    private const string Introduction = """
        # Options

        <!-- Written by scripts/docs.sh from the table of options in the program. Edit that table, not this page. -->

        You can give each option in three ways:

        ```sh
        keyevt --routing-key events --keymask '^user:' --keymask '^session:'      # on the command line
        KEYEVT_ROUTING_KEY=events KEYEVT_KEYMASK='^user: ^session:' keyevt         # in the environment
        keyevt --config keyevt.json                                                # in a file
        ```

        ```json
        { "routing-key": "events", "keymask": ["^user:", "^session:"] }
        ```

        - The command line wins over the environment, and the environment over the file.
        - An option that is marked `*` may be given more than once. In the environment its values are separated by blanks or commas. Rules hold blanks, so they are separated by line breaks.
        - A repeated option is taken from one place only: values of the command line and of the file are not mixed.
        - All wrong options are reported at once, one line each. The exit code is 2 then.
        - `keyevt check` with the same options tries every connection and right, and says what to do about what fails.

        The load line of the replaced module can stand in for many options: see [Coming from the module](from-the-module.md).

        """;

    public static string Text()
    {
        var page = new StringBuilder(Introduction.ReplaceLineEndings("\n"));
        foreach (var group in Enum.GetValues<OptionGroup>())
        {
            page.Append("\n## ").Append(Heading(group)).Append("\n\n").Append(About(group)).Append("\n\n| option | default | meaning |\n|---|---|---|\n");
            foreach (var option in OptionTable.WithConfig.Where(option => option.Group == group)) page.Append(Row(option)).Append('\n');
        }

        return page.ToString();
    }

    private static string Heading(OptionGroup group) => group switch
    {
        OptionGroup.Clients => "Clients",
        OptionGroup.Redis => "Redis",
        OptionGroup.RabbitMq => "RabbitMQ",
        OptionGroup.Messages => "Filtering and messages",
        OptionGroup.Delivery => "Delivery",
        OptionGroup.Tls => "TLS",
        OptionGroup.Limits => "Limits",
        OptionGroup.Program => "Program",
        _ => throw new ArgumentOutOfRangeException(nameof(group), group, "a group without a heading"),
    };

    private static string About(OptionGroup group) => group switch
    {
        OptionGroup.Clients => "Where clients connect, and what they may do there. How a cluster is served: [topologies](topologies.md).",
        OptionGroup.Redis => "The Redis behind KeyEvt, and what KeyEvt does to it. The rights that it needs there: [security](security.md).",
        OptionGroup.RabbitMq => "The broker, and where on it events are published.",
        OptionGroup.Messages => "Which events are forwarded, and in which shape: [commands](commands.md#masks-and-rules) and [messages](messages.md).",
        OptionGroup.Delivery => "What happens to events while RabbitMQ does not take them: [guarantees](guarantees.md).",
        OptionGroup.Tls => "All files are PEM. Send SIGHUP after you have renewed them: [security](security.md).",
        OptionGroup.Limits => "How many, how much, how long: [operations](operations.md).",
        OptionGroup.Program => "The program itself. Its admin pages: [operations](operations.md).",
        _ => throw new ArgumentOutOfRangeException(nameof(group), group, "a group without a text"),
    };

    private static string Row(OptionSpec option)
    {
        var shown = option.DefaultShown ?? option.Default;
        var fallback = shown is null ? "" : option.DefaultShown is null ? $"`{shown}`" : shown;
        return $"| `--{option.Name}` *{Cell(option.ValueName)}*{(option.Repeatable ? " `*`" : "")} | {fallback} | {Cell(option.Meaning)} |";
    }

    /// <summary>As text in a cell of a Markdown table: nothing in it is markup.</summary>
    private static string Cell(string text)
    {
        var cell = new StringBuilder();
        foreach (var c in text)
        {
            if (c is '|' or '<' or '>' or '*' or '_' or '[' or ']' or '^' or '\\') cell.Append('\\');
            cell.Append(c);
        }

        return cell.ToString();
    }
}
