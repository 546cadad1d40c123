namespace KeyEvt.Forwarder.Filter;

/// <summary>
/// What does a mask say? The mask cut into tokens, with its two anchors, in the shortest form that means the same.
/// </summary>
/// <remarks>
/// The grammar is Rob Pike's matcher (The Practice of Programming, chapter 9) over bytes, read from left to right:
/// <code>
/// mask  = ["^"] token* ["$"]     "^" only as the first byte, "$" only as the last
/// token = byte "*"               zero or more of byte, "." being any byte; also "$*", "^*" behind an anchor, and "**"
///       | "."                    any one byte: NUL, CR, LF and bytes over 127 too
///       | byte                   that byte
/// </code>
/// What follows from it, as Pike's code does it:
/// a <c>*</c> with no byte before it is itself (<c>*</c>, <c>^*</c>, the second of <c>a**</c>); <c>**</c> is zero or more stars; <c>$*</c> is zero or
/// more dollars and no anchor; <c>$</c> before the end and <c>^</c> behind the start are themselves; a backslash is itself, as there is no escape;
/// the empty mask, <c>^</c>, <c>$</c> and <c>.*</c> match every key, <c>^$</c> the empty key only. So every string of bytes is a mask: parsing cannot fail.
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

    /// <summary>Adds a star and keeps runs of stars short: x*x* is x*; beside .* another star adds nothing.</summary>
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
    /// Takes away what decides nothing: <c>^prefix.*$</c> becomes <c>^prefix</c>, so that a match is known at the end of the prefix
    /// and not at the end of the key.
    /// </summary>
    private static MaskPattern Shorten(List<MaskToken> tokens, bool anchoredAtStart, bool anchoredAtEnd)
    {
        // ^.* is no anchor; without an anchor a star at the edge may as well be zero bytes
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

        // "match nothing somewhere, up to the end" is true of every key
        var isEmpty = first == end;
        return new MaskPattern(
            [.. tokens[first..end]],
            anchoredAtStart && !(isEmpty && !anchoredAtEnd),
            anchoredAtEnd && !(isEmpty && !anchoredAtStart));
    }
}
