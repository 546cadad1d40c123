// What does a page show of one command: the line that is typed, and what is printed then?
using System.Text.RegularExpressions;
using KeyEvt.Servers.Docs;

namespace KeyEvt.EndToEnd.Tests.Docs;

/// <summary>One line <c>$ command</c> of a console block, and the lines behind it. A trailing backslash goes on in the next line.</summary>
/// <param name="Expected">As on the page: <c>...</c> stands for any text in a line, and alone for any lines.</param>
internal sealed partial record ConsoleStep(MarkdownBlock Block, string Command, IReadOnlyList<string> Expected)
{
    private const string Prompt = "$ ", Anything = "...";

    /// <summary>Whether it may be typed again: it only asks.</summary>
    public bool OnlyAsks => Asking().IsMatch(Command);

    public static IReadOnlyList<ConsoleStep> Of(MarkdownBlock block)
    {
        var steps = new List<ConsoleStep>();
        for (var at = 0; at < block.Lines.Count;)
        {
            if (!block.Lines[at].StartsWith(Prompt, StringComparison.Ordinal))
            {
                throw new InvalidDataException($"{block}: a console block begins with a line \"$ command\"");
            }

            var command = block.Lines[at++][Prompt.Length..];
            while (command.EndsWith('\\') && at < block.Lines.Count) command += "\n" + block.Lines[at++];
            var from = at;
            while (at < block.Lines.Count && !block.Lines[at].StartsWith(Prompt, StringComparison.Ordinal)) at++;
            steps.Add(new ConsoleStep(block, command, [.. block.Lines.Skip(from).Take(at - from)]));
        }
        return steps;
    }

    /// <summary>Whether this is what the page promises. Blanks at the ends of lines do not count.</summary>
    public bool IsShownBy(string printed)
    {
        var text = string.Concat(printed.ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(line => line.TrimEnd() + "\n"));
        if (text == "\n") text = "";
        var pattern = string.Concat(Expected.Select(line => line.Trim() == Anything ? "(?:[^\n]*\n)*?" : string.Join("[^\n]*", line.Split(Anything).Select(Regex.Escape)) + "\n"));
        return Regex.IsMatch(text, $"\\A{pattern}\\z", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));
    }

    [GeneratedRegex("^(curl |keyevt (check|health|--)|redis-cli .*(key_evt_amqp\\.(info|help|[a-z]+_get)|llen|lrange|exists|pttl|get )|rabbitmqctl .*list_)", RegexOptions.IgnoreCase)]
    private static partial Regex Asking();
}
