// How does Redis split an inline line? (with the whole line at hand)
namespace KeyEvt.Resp.Tests.Requests;

/// <summary>The rules of <c>sdssplitargs</c>, looking ahead where it does; what not all servers read alike is refused.</summary>
internal static class SplitArguments
{
    /// <summary>The arguments, or null when quotes are unbalanced, something but a blank follows them, or there is a byte in it that Valkey 9.1 leaves out.</summary>
    public static List<string>? Split(string line)
    {
        if (line.Contains('\u00FF')) return null;
        var arguments = new List<string>();
        var i = 0;
        while (true)
        {
            while (i < line.Length && IsBlank(line[i])) i++;
            if (i == line.Length) return arguments;

            var text = "";
            while (i < line.Length && line[i] is not (' ' or '\n' or '\r' or '\t'))
            {
                if (line[i] is '"' or '\'')
                {
                    var quoted = line[i] == '"' ? ReadDouble(line, i + 1, ref text) : ReadSingle(line, i + 1, ref text);
                    if (quoted < 0 || (quoted < line.Length && line[quoted] is not (' ' or '\t' or '\r'))) return null;
                    i = quoted;
                    break;
                }

                text += line[i++];
            }

            arguments.Add(text);
        }
    }

    /// <summary>What stands for this character behind a backslash, between double quotes.</summary>
    public static char Escaped(char value) => value switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'a' => '\a', var other => other };

    /// <summary>Index behind the closing quote, or -1.</summary>
    private static int ReadDouble(string line, int i, ref string text)
    {
        while (i < line.Length)
        {
            if (line[i] == '"') return i + 1;
            if (line[i] == '\\' && i + 3 < line.Length && line[i + 1] == 'x' && char.IsAsciiHexDigit(line[i + 2]) && char.IsAsciiHexDigit(line[i + 3]))
            {
                text += (char)Convert.ToByte(line.Substring(i + 2, 2), 16);
                i += 4;
            }
            else if (line[i] == '\\' && i + 1 < line.Length)
            {
                text += Escaped(line[i + 1]);
                i += 2;
            }
            else
            {
                text += line[i++];
            }
        }

        return -1;
    }

    private static int ReadSingle(string line, int i, ref string text)
    {
        while (i < line.Length)
        {
            if (line[i] == '\'') return i + 1;
            if (line[i] == '\\' && i + 1 < line.Length && line[i + 1] == '\'') i++;
            text += line[i++];
        }

        return -1;
    }

    private static bool IsBlank(char value) => value is ' ' or '\t' or '\n' or '\v' or '\f' or '\r';
}
