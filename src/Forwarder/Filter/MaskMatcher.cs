namespace KeyEvt.Forwarder.Filter;

/// <summary>Does a key match any of these patterns? Reads the key once for all of them.</summary>
/// <remarks>
/// Why this is an own engine and not one combined <c>RegexOptions.NonBacktracking</c> expression:
/// <list type="bullet">
/// <item>The expression refuses a thousand masks, since its limit is 10,000 nodes.</item>
/// <item>With that limit lifted, 30 masks like <c>.*a.*b.*c.*d.*!</c> take it 350 ms and 90 MB for their first key of 100,000 bytes. Here they take 0.2 ms
/// and 45 KB (bench/Micro, KeyMaskRegexBench).</item>
/// <item>Ordinary keys cost 15 to 41 ns here, and 35 to 96 ns there (KeyMaskBench).</item>
/// </list>
/// A special case for <c>^prefix.*$</c> would save only 13 ns of the microseconds that an event costs (KeyMaskPrefixBench). The NFA alone would not
/// suffice: with a thousand prefixes it takes 5 us a key, and 21 ns with the table (KeyMaskBench).
/// </remarks>
internal sealed class MaskMatcher
{
    private const int MemoryBytes = 4 * 1024 * 1024;

    // A full table of rows that no longer occur is thrown away when reading without it has cost far more than filling it again would. Each time this
    // helps less, so the threshold doubles each time.
    private const long FirstPatience = 1024; // bytes read by the NFA, per row of the table
    private const long LastPatience = 1L << 40;

    private readonly MaskNfa _nfa;
    private readonly int _memoryBytes;

    /// <summary>Read by Volatile.Read. Replaced by the thread that wins the exchange of <see cref="_patience"/>.</summary>
    private MaskDfa _dfa;

    /// <summary>Read by Volatile.Read and doubled by Interlocked.CompareExchange, so only one of several threads replaces the table.</summary>
    private long _patience = FirstPatience;

    public MaskMatcher(IReadOnlyCollection<MaskPattern> patterns, int memoryBytes = MemoryBytes)
    {
        _nfa = new MaskNfa(patterns);
        _memoryBytes = memoryBytes;
        _dfa = new MaskDfa(_nfa, memoryBytes);
    }

    /// <summary>The table in use. It is replaced when it has become useless.</summary>
    public MaskDfa Dfa => Volatile.Read(ref _dfa);

    public bool Matches(ReadOnlySpan<byte> key)
    {
        var dfa = Dfa;
        var matches = dfa.Matches(key);
        if (dfa.SlowBytes > 0)
        {
            GiveUpIfUseless(dfa);
        }

        return matches;
    }

    private void GiveUpIfUseless(MaskDfa dfa)
    {
        var patience = Volatile.Read(ref _patience);
        if (dfa.SlowBytes > dfa.RowCount * patience
            && patience < LastPatience
            && Interlocked.CompareExchange(ref _patience, patience * 2, patience) == patience)
        {
            Volatile.Write(ref _dfa, new MaskDfa(_nfa, _memoryBytes));
        }
    }
}
