using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using KeyEvt.Servers.Docs;

namespace KeyEvt.Proxy.Tests.Docs;

/// <summary>
/// With which words and which variables KEYEVT_* does a line of a page call keyevt or docker? The shell itself reads it, with a function in the place of the program
/// that prints what it is given.
/// </summary>
internal sealed partial record ShellLine(MarkdownBlock Block, string Text, string Program, IReadOnlyList<string> Words, IReadOnlyList<KeyValuePair<string, string>> Variables)
{
    private const string PrintWhatIsGiven = """
        show() { for word in "$@"; do printf 'w%s\0' "$word"; done; env -0 | while IFS= read -r -d '' variable; do case $variable in KEYEVT_*) printf 'v%s\0' "$variable" ;; esac; done; }
        keyevt() { show "$@"; }
        docker() { show "$@"; }

        """;

    public override string ToString() => $"{Block}: {Text}";

    public static IEnumerable<ShellLine> Of(MarkdownBlock block)
    {
        foreach (var line in block.Text.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n'))
        {
            if (Call().Match(line) is { Success: true } call) yield return Read(block, line, call.Groups["program"].Value);
        }
    }

    /// <summary>What the shell prints when it runs this; its errors too.</summary>
    public static string Shell(params string[] arguments)
    {
        using var shell = new Process
        {
            StartInfo = new ProcessStartInfo("bash", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8, WorkingDirectory = Path.GetTempPath() },
        };
        foreach (var name in shell.StartInfo.Environment.Keys.Where(name => name.StartsWith("KEYEVT_", StringComparison.Ordinal)).ToList())
        {
            shell.StartInfo.Environment.Remove(name);
        }

        shell.Start();
        var text = shell.StandardOutput.ReadToEnd() + shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        return text;
    }

    private static ShellLine Read(MarkdownBlock block, string line, string program)
    {
        var printed = Shell("-c", PrintWhatIsGiven + line).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        var variables = printed.Where(text => text[0] == 'v').Select(text => text[1..].Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], pair[1]));
        return new ShellLine(block, line, program, [.. printed.Where(text => text[0] == 'w').Select(text => text[1..])], [.. variables]);
    }

    // Variables may stand before the program, with values in quotes.
    [GeneratedRegex("""^\s*(?:[A-Z_]+=(?:'[^']*'|"[^"]*"|[^\s'"])*\s+)*(?<program>keyevt|docker)(?:\s|$)""", RegexOptions.CultureInvariant)]
    private static partial Regex Call();
}
