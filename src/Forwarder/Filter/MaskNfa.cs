using System.Buffers;

namespace KeyEvt.Forwarder.Filter;

/// <summary>
/// Which places of which masks have been reached after each byte of a key? A place is a position in a mask. All masks lie side by side in one row of
/// bits, and a byte moves all of them at once.
/// </summary>
/// <remarks>
/// The algorithm is Shift-And with stars (Navarro and Raffinot, Flexible Pattern Matching in Strings, chapter 4). Bit i of a mask says "the first i
/// tokens are matched". Each mask ends with one more bit, its final place. No byte leaves the final place, so one mask never runs into the next. One
/// byte costs a handful of operations per 64 places, whatever the masks and the key are. This is what keeps <c>.*a.*a.*a.*b</c> linear.
/// Immutable, so shared by all threads.
/// </remarks>
internal sealed class MaskNfa
{
    private const int WordsOnStack = 128;

    private readonly byte[] _columnOf = new byte[256];
    private readonly ulong[] _takes;    // [column * Words + word]: the places whose token accepts the column's bytes
    private readonly ulong[] _stars;    // the places whose token is a star: a byte that it accepts does not leave it, and it can be passed without a byte
    private readonly ulong[] _restarts; // the first places of the masks without "^": they are reached again before every byte
    private readonly ulong[] _finals;   // the final places of the masks without "$": a match, whatever follows
    private readonly ulong[] _endings;  // the final places of the masks with "$": a match if the key ends here

    public MaskNfa(IReadOnlyCollection<MaskPattern> patterns)
    {
        Words = (patterns.Sum(p => p.Tokens.Length + 1) + 63) / 64;
        ColumnCount = AssignColumns(patterns);
        _takes = new ulong[ColumnCount * Words];
        _stars = new ulong[Words];
        _restarts = new ulong[Words];
        _finals = new ulong[Words];
        _endings = new ulong[Words];
        var start = new ulong[Words];

        var place = 0;
        foreach (var pattern in patterns)
        {
            Set(pattern.AnchoredAtStart ? start : _restarts, place);
            foreach (var token in pattern.Tokens.Span)
            {
                AddToken(token, place++);
            }

            Set(pattern.AnchoredAtEnd ? _endings : _finals, place++);
        }

        ulong carry = 0;
        for (var w = 0; w < Words; w++)
        {
            start[w] = SkipStars(start[w] | _restarts[w], _stars[w], ref carry);
        }

        MatchesEverything = Intersects(start, _finals);
        MatchesAtStart = MatchesAtEnd(start);
        Start = Pack(start, new ulong[MaxPacked]).ToArray();
    }

    /// <summary>What is known after a byte of the key.</summary>
    public enum Outcome
    {
        /// <summary>The bytes that follow decide.</summary>
        Open,

        /// <summary>A mask matches, whatever follows.</summary>
        Match,

        /// <summary>No mask can match any more.</summary>
        NoMatch,
    }

    /// <summary>Number of 64-bit words of one row of places.</summary>
    public int Words { get; }

    /// <summary>Number of columns. Bytes that all masks treat alike share a column.</summary>
    public int ColumnCount { get; }

    /// <summary>The places reached before the first byte, packed.</summary>
    public ReadOnlyMemory<ulong> Start { get; }

    /// <summary>The column of each byte; 256 entries.</summary>
    public ReadOnlySpan<byte> ColumnOf => _columnOf;

    /// <summary>Whether some mask without "$" matches the empty key, and therefore every key.</summary>
    public bool MatchesEverything { get; }

    /// <summary>Whether some mask matches the empty key.</summary>
    public bool MatchesAtStart { get; }

    /// <summary>Maximum number of words of packed places.</summary>
    public int MaxPacked => Words * 2;

    /// <summary>Moves the places by one byte, in place.</summary>
    public Outcome Step(Span<ulong> places, int column)
    {
        ReadOnlySpan<ulong> takes = _takes.AsSpan(column * Words, Words);
        ReadOnlySpan<ulong> stars = _stars.AsSpan(0, takes.Length);
        ReadOnlySpan<ulong> restarts = _restarts.AsSpan(0, takes.Length);
        ReadOnlySpan<ulong> finals = _finals.AsSpan(0, takes.Length);
        places = places[..takes.Length];
        ulong moved = 0, skipped = 0, any = 0;
        for (var w = 0; w < takes.Length; w++)
        {
            var now = places[w];
            var reached = restarts[w] | moved;
            if ((now | reached | skipped) == 0)
            {
                continue;
            }

            var taken = now & takes[w];
            var leaving = taken & ~stars[w];
            reached |= (leaving << 1) | (taken & stars[w]);
            moved = leaving >> 63;
            reached = SkipStars(reached, stars[w], ref skipped);
            if ((reached & finals[w]) != 0)
            {
                return Outcome.Match;
            }

            places[w] = reached;
            any |= reached;
        }

        return any == 0 ? Outcome.NoMatch : Outcome.Open;
    }

    /// <summary>Whether a mask matches a key that ends here.</summary>
    public bool MatchesAtEnd(ReadOnlySpan<ulong> places) => Intersects(places, _endings);

    /// <summary>
    /// Packs the places: writes index and value of each word that differs from the restarts. Even of a thousand masks, a key usually has only one or
    /// two in progress.
    /// </summary>
    /// <returns>The part of <paramref name="packed"/> that was written.</returns>
    public ReadOnlySpan<ulong> Pack(ReadOnlySpan<ulong> places, Span<ulong> packed)
    {
        var length = 0;
        for (var w = 0; w < places.Length; w++)
        {
            if (places[w] != _restarts[w])
            {
                packed[length++] = (ulong)w;
                packed[length++] = places[w];
            }
        }

        return packed[..length];
    }

    public void Unpack(ReadOnlySpan<ulong> packed, Span<ulong> places)
    {
        _restarts.CopyTo(places);
        for (var i = 0; i < packed.Length; i += 2)
        {
            places[(int)packed[i]] = packed[i + 1];
        }
    }

    /// <summary>Reads the rest of a key from the given places on. Takes time linear in its length, and caches nothing.</summary>
    public bool Matches(ReadOnlySpan<ulong> packed, ReadOnlySpan<byte> rest)
    {
        ulong[]? rented = null;
        var places = Words <= WordsOnStack ? stackalloc ulong[WordsOnStack] : rented = ArrayPool<ulong>.Shared.Rent(Words);
        places = places[..Words];
        Unpack(packed, places);

        var verdict = Outcome.Open;
        for (var i = 0; i < rest.Length && verdict == Outcome.Open; i++)
        {
            verdict = Step(places, _columnOf[rest[i]]);
        }

        var matches = verdict == Outcome.Open ? MatchesAtEnd(places) : verdict == Outcome.Match;
        if (rented is not null)
        {
            ArrayPool<ulong>.Shared.Return(rented);
        }

        return matches;
    }

    /// <summary>
    /// A place whose token is a star also reaches the next place without a byte, and so on through a run of stars. A carry runs through an addition
    /// in the same way: bit i+1 receives a carry if bit i is a star, and is set or has received a carry itself.
    /// </summary>
    private static ulong SkipStars(ulong places, ulong stars, ref ulong carry)
    {
        var starting = places & stars;
        var sum = stars + starting;
        var total = sum + carry;
        var received = total ^ stars ^ starting;
        carry = sum < stars || total < sum ? 1UL : 0UL;
        return places | received;
    }

    private static bool Intersects(ReadOnlySpan<ulong> left, ReadOnlySpan<ulong> right)
    {
        for (var w = 0; w < left.Length; w++)
        {
            if ((left[w] & right[w]) != 0)
            {
                return true;
            }
        }

        return false;
    }

    private static void Set(Span<ulong> places, int place) => places[place >> 6] |= 1UL << place;

    /// <summary>Gives each byte that some mask names its own column, and all other bytes one common column.</summary>
    private int AssignColumns(IReadOnlyCollection<MaskPattern> patterns)
    {
        var named = new SortedSet<byte>();
        foreach (var pattern in patterns)
        {
            foreach (var token in pattern.Tokens.Span)
            {
                if (!token.IsAny)
                {
                    named.Add(token.Value);
                }
            }
        }

        var column = named.Count < 256 ? 1 : 0;
        foreach (var value in named)
        {
            _columnOf[value] = (byte)column++;
        }

        return column;
    }

    private void AddToken(MaskToken token, int place)
    {
        if (token.IsStar)
        {
            Set(_stars, place);
        }

        if (!token.IsAny)
        {
            Set(_takes.AsSpan(_columnOf[token.Value] * Words, Words), place);
            return;
        }

        for (var column = 0; column < ColumnCount; column++)
        {
            Set(_takes.AsSpan(column * Words, Words), place);
        }
    }
}
