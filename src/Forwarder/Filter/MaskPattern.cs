namespace KeyEvt.Forwarder.Filter;

/// <summary>What does a mask mean? The mask is split into tokens and two anchors, in the shortest form with the same meaning.</summary>
/// <remarks>
/// The grammar is Rob Pike's matcher (The Practice of Programming, chapter 9) over bytes, read from left to right:
/// <code>
/// mask  = ["^"] token* ["$"]     "^" only as the first byte, "$" only as the last
/// token = byte "*"               zero or more of byte, "." being any byte; also "$*", "^*" behind an anchor, and "**"
///       | "."                    any one byte: NUL, CR, LF and bytes over 127 too
///       | byte                   that byte
/// </code>
/// Details that follow from Pike's code:
/// <list type="bullet">
/// <item>A <c>*</c> with no byte in front of it stands for itself (<c>*</c>, <c>^*</c>, the second of <c>a**</c>). <c>**</c> is zero or more stars.</item>
/// <item><c>$*</c> is zero or more dollars, and not an anchor.</item>
/// <item><c>$</c> before the end and <c>^</c> behind the start stand for themselves. So does a backslash: there is no escape.</item>
/// <item>The empty mask, <c>^</c>, <c>$</c> and <c>.*</c> match every key. <c>^$</c> matches the empty key only.</item>
/// </list>
/// So every string of bytes is a mask, and parsing cannot fail.
/// </remarks>
internal sealed class MaskPattern
{
    private MaskPattern(MaskToken[] tokens, bool anchoredAtStart, bool anchoredAtEnd) =>
        (Tokens, AnchoredAtStart, AnchoredAtEnd) = (tokens, anchoredAtStart, anchoredAtEnd);

    public ReadOnlyMemory<MaskToken> Tokens { get; }

    public bool AnchoredAtStart { get; }

    public bool AnchoredAtEnd { get; }

    public static MaskPattern Parse(ReadOnlySpan<byte> mask)
    {
        var anchoredAtStart = mask is [(byte)'^', ..];
        if (anchoredAtStart)
        {
            mask = mask[1..];
        }

        var anchoredAtEnd = false;
        var tokens = new List<MaskToken>(mask.Length);
        for (var i = 0; i < mask.Length; i++)
        {
            if (i + 1 < mask.Length && mask[i + 1] == '*')
            {
                AddStar(tokens, new MaskToken(mask[i], IsAny: mask[i] == '.', IsStar: true));
                i++;
            }
            else if (i + 1 == mask.Length && mask[i] == '$')
            {
                anchoredAtEnd = true;
            }
            else
            {
                tokens.Add(new MaskToken(mask[i], IsAny: mask[i] == '.', IsStar: false));
            }
        }

        return Shorten(tokens, anchoredAtStart, anchoredAtEnd);
    }

    /// <summary>Adds a star and keeps runs of stars short: x*x* becomes x*, and a star next to .* is left out.</summary>
    private static void AddStar(List<MaskToken> tokens, MaskToken star)
    {
        while (tokens is [.., { IsStar: true } last] && (last.IsAny || star.IsAny || last.Value == star.Value))
        {
            star = last.IsAny ? last : star;
            tokens.RemoveAt(tokens.Count - 1);
        }

        tokens.Add(star);
    }

    /// <summary>
    /// Removes what has no effect: <c>^prefix.*$</c> becomes <c>^prefix</c>. A match is then known at the end of the prefix instead of the end of the key.
    /// </summary>
    private static MaskPattern Shorten(List<MaskToken> tokens, bool anchoredAtStart, bool anchoredAtEnd)
    {
        // "^.*" means the same as no anchor. Where there is no anchor, a star at the edge can be left out.
        int first = 0, end = tokens.Count;
        while (first < end && tokens[first].IsStar && (!anchoredAtStart || tokens[first].IsAny))
        {
            anchoredAtStart = false;
            first++;
        }

        while (end > first && tokens[end - 1].IsStar && (!anchoredAtEnd || tokens[end - 1].IsAny))
        {
            anchoredAtEnd = false;
            end--;
        }

        // An empty pattern with one anchor matches every key, so the anchor is dropped. With both anchors it matches the empty key only.
        var isEmpty = first == end;
        return new MaskPattern(
            [.. tokens[first..end]],
            anchoredAtStart && !(isEmpty && !anchoredAtEnd),
            anchoredAtEnd && !(isEmpty && !anchoredAtStart));
    }
}
