using System.Globalization;

namespace KeyEvt.Forwarder.Text;

/// <summary>
/// How may a text be shown that somebody else wrote: a server, a library, a client, a file system? On one line, and without what a terminal or a log reader
/// would obey: no control characters (CR, LF, ESC, NUL ...), no marks that turn the direction of writing. A blank stands for each. For log, info, replies, metrics and the console alike.
/// </summary>
public static class CleanText
{
    /// <summary>What of a server's text fits into a log line or an info field.</summary>
    private const int MaxServerText = 160;

    public static string Line(string text) => Line(text, int.MaxValue);

    /// <summary>What a server wrote: one line, at most 160 characters, and the secret in it replaced by three stars.</summary>
    public static string Server(string text, string? secret = null) =>
        Line(string.IsNullOrEmpty(secret) ? text : text.Replace(secret, "***", StringComparison.Ordinal), MaxServerText);

    /// <param name="maxLength">So many characters at most; three dots stand for the rest.</param>
    public static string Line(string text, int maxLength)
    {
        if (text.Length <= maxLength && IsClean(text)) return text;

        var isCut = text.Length > maxLength;
        return string.Create(Math.Min(text.Length, maxLength), text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = IsObeyed(source[i]) ? ' ' : source[i];
        }) + (isCut ? "..." : "");
    }

    private static bool IsClean(string text)
    {
        foreach (var c in text)
        {
            if (IsObeyed(c)) return false;
        }

        return true;
    }

    private static bool IsObeyed(char c) => c is < ' ' or >= '\x7f'
        && char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
