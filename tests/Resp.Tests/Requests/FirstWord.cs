// What is the first word of an inline line, for which server? (with all that has arrived of the line at hand)
namespace KeyEvt.Resp.Tests.Requests;

/// <summary>
/// The rules that <c>InlineLexer</c> follows byte by byte, read anew from the line's start. The text is Valkey 9's, for which a word goes on behind a closing quote; no
/// escape that is not all there is in it.
/// </summary>
/// <param name="Text">Null: nothing of it has come.</param>
/// <param name="HasEnded">Its end has come, on Valkey 9.</param>
/// <param name="OlderText">The last byte ends it for older servers only; then what it is for them.</param>
internal sealed record FirstWord(string? Text, bool HasEnded, string? OlderText)
{
    public static FirstWord Of(string line)
    {
        var i = 0;
        while (i < line.Length && line[i] is ' ' or '\t' or '\v' or '\f' or '\r') i++;
        if (i == line.Length) return new FirstWord(null, false, null);

        var text = "";
        var quotes = 0;
        while (i < line.Length)
        {
            var value = line[i++];
            if (value is ' ' or '\t' or '\r') return new FirstWord(text, true, null);
            if (value is not ('"' or '\''))
            {
                text += Kept(value);
                continue;
            }

            var isOpen = true;
            while (isOpen && i < line.Length)
            {
                var rest = line[i..];
                if (rest[0] == value)
                {
                    isOpen = false;
                    i++;
                }
                else if (value == '"' && (rest is "\\" or "\\x" || (rest.Length == 3 && rest.StartsWith("\\x", StringComparison.Ordinal) && char.IsAsciiHexDigit(rest[2]))))
                {
                    return new FirstWord(text, false, null);
                }
                else if (value == '"' && rest[0] == '\\')
                {
                    var isHex = rest.Length > 3 && rest[1] == 'x' && char.IsAsciiHexDigit(rest[2]) && char.IsAsciiHexDigit(rest[3]);
                    text += isHex ? $"{(char)Convert.ToByte(rest[2..4], 16)}" : Kept(SplitArguments.Escaped(rest[1]));
                    i += isHex ? 4 : 2;
                }
                else if (value == '\'' && rest[0] == '\\')
                {
                    if (rest.Length == 1) return new FirstWord(text, false, null);
                    text += rest[1] == '\'' ? '\'' : '\\';
                    i += rest[1] == '\'' ? 2 : 1;
                }
                else
                {
                    text += Kept(rest[0]);
                    i++;
                }
            }

            if (!isOpen && ++quotes == 1 && i == line.Length - 1 && line[i] is '\v' or '\f')
            {
                return new FirstWord(text + line[i], false, text);
            }
        }

        return new FirstWord(text, false, null);
    }

    /// <summary>Valkey 9.1 leaves one byte out, unless it is written as an escape.</summary>
    private static string Kept(char value) => value == '\u00FF' ? "" : $"{value}";
}
