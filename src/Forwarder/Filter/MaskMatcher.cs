namespace KeyEvt.Forwarder.Filter;

/// <summary>Does a key match any of these patterns? One pass over the key for all of them.</summary>
/// <remarks>
/// An engine of its own, and not one combined <c>RegexOptions.NonBacktracking</c> expression: that refuses a thousand masks (its limit is 10,000 nodes), and
/// with the limit lifted 30 masks like <c>.*a.*b.*c.*d.*!</c> take it 350 ms and 90 MB for their first key of 100,000 bytes, which take 0.2 ms and 45 KB here
/// (bench/Micro, KeyMaskRegexBench); ordinary keys cost 15 to 41 ns here and 35 to 96 ns there (KeyMaskBench). No way of its own for
/// <c>^prefix.*$</c> either: it would save 13 ns of the microseconds an event costs (KeyMaskPrefixBench). And not the NFA alone: 5 us a key with a thousand prefixes, 21 ns with the
/// table (KeyMaskBench).
/// </remarks>
internal sealed class MaskMatcher
{
    private const int MemoryBytes = 4 * 1024 * 1024;

    // A memory full of rows that are no longer met is thrown away once reading without it has cost far more than filling it again does; each
    // time it helps less, so each time later.
    private const long FirstPatience = 1024; // bytes read without it, per row of it
    private const long LastPatience = 1L << 40;

    private readonly MaskNfa _nfa;
    private readonly int _memoryBytes;
    private MaskDfa _dfa;
    private long _patience = FirstPatience;

    public MaskMatcher(IReadOnlyCollection<MaskPattern> patterns, int memoryBytes = MemoryBytes)
    {
        _nfa = new MaskNfa(patterns);
        _memoryBytes = memoryBytes;
        _dfa = new MaskDfa(_nfa, memoryBytes);
    }

    /// <summary>The memory in use; replaced when it has become useless.</summary>
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
