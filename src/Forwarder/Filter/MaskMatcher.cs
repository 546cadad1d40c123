namespace KeyEvt.Forwarder.Filter;

/// <summary>Does a key match any of these patterns? One pass over the key for all of them.</summary>
internal sealed class MaskMatcher
{
    private const int MemoryBytes = 4 * 1024 * 1024;

    // A memory that is full of rows that are no longer met is thrown away once reading without it has cost far more than filling it again.
    private const long SlowBytesPerRow = 1024;

    private readonly MaskNfa _nfa;
    private readonly int _memoryBytes;
    private MaskDfa _dfa;

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
        MaskDfa dfa = Dfa;
        bool matches = dfa.Matches(key);
        if (dfa.SlowBytes > dfa.RowCount * SlowBytesPerRow)
        {
            Interlocked.CompareExchange(ref _dfa, new MaskDfa(_nfa, _memoryBytes), dfa);
        }

        return matches;
    }
}
