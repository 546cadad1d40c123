using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Bench.Micro;

/// <summary>How would the library's own linear engine do it? All masks as one expression, keys as Latin-1 text. Only for comparison.</summary>
/// <remarks>A thousand masks are over the engine's limit on an expression's size (NotSupportedException), which is lifted here.</remarks>
internal sealed class CombinedRegex(IEnumerable<MaskPattern> patterns)
{
    private const int CharsOnStack = 256;

    private readonly Regex _regex = new(string.Join('|', patterns.Select(Expression)), RegexOptions.NonBacktracking | RegexOptions.Singleline);

    static CombinedRegex() => AppContext.SetData("REGEX_NONBACKTRACKING_MAX_AUTOMATA_SIZE", int.MaxValue);

    public bool Matches(ReadOnlySpan<byte> key)
    {
        char[]? rented = null;
        var text = key.Length <= CharsOnStack ? stackalloc char[CharsOnStack] : rented = ArrayPool<char>.Shared.Rent(key.Length);
        text = text[..Encoding.Latin1.GetChars(key, text)];
        var matches = _regex.IsMatch(text);
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented);
        }

        return matches;
    }

    private static string Expression(MaskPattern pattern)
    {
        var text = new StringBuilder(pattern.AnchoredAtStart ? @"\A" : "");
        foreach (var token in pattern.Tokens.Span)
        {
            text.Append(token.IsAny ? "." : $@"\x{token.Value:x2}").Append(token.IsStar ? "*" : "");
        }

        return text.Append(pattern.AnchoredAtEnd ? @"\z" : "").ToString();
    }
}
