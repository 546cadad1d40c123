// Which blocks of code does a page have?
namespace KeyEvt.Servers.Docs;

/// <summary>One fenced block of a page.</summary>
/// <param name="Page">The file, by its path from the root.</param>
/// <param name="Line">Of its opening fence, from 1.</param>
/// <param name="Language">What stands behind the fence: sh, console, json ...</param>
/// <param name="Comment">What the HTML comment on the line before it says, or null.</param>
public sealed record MarkdownBlock(string Page, int Line, string Language, string? Comment, IReadOnlyList<string> Lines)
{
    private const string NotRunMark = "not run:", StageMark = "stage: keyevt";

    public string Text => string.Join('\n', Lines);

    /// <summary>Why no test runs it; null when one does.</summary>
    public string? NotRun => Behind(NotRunMark);

    /// <summary>The options of the keyevt that this block and those behind it talk to; null: as before.</summary>
    public string? Stage => Behind(StageMark);

    public override string ToString() => $"{Page}:{Line}";

    public static IReadOnlyList<MarkdownBlock> Of(string page)
    {
        var blocks = new List<MarkdownBlock>();
        var lines = Repository.Read(page).Split('\n');
        for (var at = 0; at < lines.Length; at++)
        {
            var indent = lines[at].Length - lines[at].TrimStart().Length;
            if (!lines[at].TrimStart().StartsWith("```", StringComparison.Ordinal)) continue;
            var end = Array.FindIndex(lines, at + 1, line => line.TrimStart().StartsWith("```", StringComparison.Ordinal));
            if (end < 0) throw new InvalidDataException($"{page}:{at + 1}: the block does not end");
            blocks.Add(new MarkdownBlock(
                page, at + 1, lines[at].Trim()[3..], CommentBefore(lines, at), [.. lines[(at + 1)..end].Select(line => line[Math.Min(indent, line.Length)..].TrimEnd())]));
            at = end;
        }
        return blocks;
    }

    private static string? CommentBefore(string[] lines, int at)
    {
        var before = at > 0 ? lines[at - 1].Trim() : "";
        return before.StartsWith("<!--", StringComparison.Ordinal) && before.EndsWith("-->", StringComparison.Ordinal) ? before[4..^3].Trim() : null;
    }

    private string? Behind(string mark) => Comment is not null && Comment.StartsWith(mark, StringComparison.Ordinal) ? Comment[mark.Length..].Trim() : null;
}
