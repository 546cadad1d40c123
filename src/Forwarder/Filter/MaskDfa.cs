namespace KeyEvt.Forwarder.Filter;

/// <summary>
/// Which set of places follows which, for each byte? A cache of the steps of <see cref="MaskNfa"/>. Each set of places that has occurred is a row of
/// a table. The row's cells say which row follows for each byte. So a known step of all masks together costs one look-up.
/// </summary>
/// <remarks>
/// Readers take no lock. A cell changes only once, from <see cref="Unknown"/> to its final value, and a row is complete before a cell refers to it.
/// The memory is limited. If there is no room for a row, the NFA reads the rest of the key, which is slower but still linear.
/// </remarks>
internal sealed class MaskDfa
{
    // Values of a cell. A positive value is the index in the table at which the next row begins; row 0 is left out, so that index is above 0.
    private const int Unknown = 0;
    private const int Match = -1;
    private const int NoMatch = -2;
    private const int NoRoom = -3;

    private const int MinRows = 16;
    private const int BytesPerRow = 96; // estimated memory of a row for its array of places and its index entry, without the places themselves

    private readonly MaskNfa _nfa;
    private readonly byte[] _columnOf;
    private readonly int _endColumn; // the last cell of a row says whether the key matches if it ends here
    private readonly int _stride;
    private readonly int _start;

    /// <summary>Guards all fields below but <see cref="_slowBytes"/>. Readers use <see cref="_table"/> by Volatile.Read, and the number of rows, without it.</summary>
    private readonly Lock _writing = new();
    private readonly List<ulong[]> _places = [[]];                                   // the packed places of each row, by the row's number
    private readonly Dictionary<ulong[], int> _rows = new(PlacesComparer.Instance);  // packed places -> index of the row in the table
    private readonly ulong[] _scratch;
    private readonly ulong[] _packed;
    private int[] _table;                                                            // replaced only by a longer copy of itself
    private long _bytesLeft;

    /// <summary>Added to with Interlocked by any thread; read by Volatile.Read.</summary>
    private long _slowBytes;

    /// <param name="nfa">Computes the steps that are cached here.</param>
    /// <param name="maxBytes">Approximate limit of memory. A few rows always find room.</param>
    public MaskDfa(MaskNfa nfa, int maxBytes)
    {
        _nfa = nfa;
        _columnOf = nfa.ColumnOf.ToArray();
        _endColumn = nfa.ColumnCount;
        _stride = nfa.ColumnCount + 1;
        _bytesLeft = maxBytes;
        _scratch = new ulong[nfa.Words];
        _packed = new ulong[nfa.MaxPacked];
        _table = new int[_stride * 4];
        _start = nfa.MatchesEverything ? Match : RowOf(nfa.Start.Span, nfa.MatchesAtStart);
    }

    /// <summary>Number of rows so far.</summary>
    public int RowCount => _rows.Count;

    /// <summary>Number of key bytes that the NFA had to read because there was no room for a row.</summary>
    public long SlowBytes => Volatile.Read(ref _slowBytes);

    public bool Matches(ReadOnlySpan<byte> key)
    {
        var row = _start;
        if (row == Match)
        {
            return true;
        }

        var table = Volatile.Read(ref _table);
        var columnOf = _columnOf;
        for (var i = 0; i < key.Length; i++)
        {
            var next = Volatile.Read(ref table[row + columnOf[key[i]]]);
            if (next <= 0)
            {
                if (next == Unknown)
                {
                    next = Learn(row, columnOf[key[i]], out table);
                }

                switch (next)
                {
                    case Match: return true;
                    case NoMatch: return false;
                    case NoRoom: return MatchesSlow(row, key[i..]);
                }
            }

            row = next;
        }

        return table[row + _endColumn] == Match;
    }

    private bool MatchesSlow(int row, ReadOnlySpan<byte> rest)
    {
        ulong[] places;
        lock (_writing)
        {
            places = _places[row / _stride];
        }

        Interlocked.Add(ref _slowBytes, rest.Length);
        return _nfa.Matches(places, rest);
    }

    private int Learn(int row, int column, out int[] table)
    {
        lock (_writing)
        {
            var next = _table[row + column];
            if (next == Unknown)
            {
                _nfa.Unpack(_places[row / _stride], _scratch);
                next = _nfa.Step(_scratch, column) switch
                {
                    MaskNfa.Outcome.Match => Match,
                    MaskNfa.Outcome.NoMatch => NoMatch,
                    _ => RowOf(_nfa.Pack(_scratch, _packed), _nfa.MatchesAtEnd(_scratch)),
                };
                Volatile.Write(ref _table[row + column], next);
            }

            table = _table;
            return next;
        }
    }

    /// <summary>Finds the row of these places, or adds it if there is room. Called under the lock, or by the constructor.</summary>
    private int RowOf(ReadOnlySpan<ulong> places, bool matchesAtEnd)
    {
        var rows = _rows.GetAlternateLookup<ReadOnlySpan<ulong>>();
        if (rows.TryGetValue(places, out var row))
        {
            return row;
        }

        _bytesLeft -= (_stride * sizeof(int)) + (places.Length * sizeof(ulong)) + BytesPerRow;
        if (_bytesLeft < 0 && _rows.Count >= MinRows)
        {
            return NoRoom;
        }

        row = _places.Count * _stride;
        if (row + _stride > _table.Length)
        {
            var longer = new int[_table.Length * 2];
            _table.CopyTo(longer, 0);
            Volatile.Write(ref _table, longer);
        }

        _table[row + _endColumn] = matchesAtEnd ? Match : NoMatch;
        var kept = places.ToArray();
        _places.Add(kept);
        _rows.Add(kept, row);
        return row;
    }

    /// <summary>Compares packed places by content, and looks them up by span without allocating an array.</summary>
    private sealed class PlacesComparer : IEqualityComparer<ulong[]>, IAlternateEqualityComparer<ReadOnlySpan<ulong>, ulong[]>
    {
        public static readonly PlacesComparer Instance = new();

        public bool Equals(ulong[]? x, ulong[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<ulong> alternate, ulong[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ulong[] places) => GetHashCode(places.AsSpan());

        public int GetHashCode(ReadOnlySpan<ulong> alternate)
        {
            ulong hash = 0;
            foreach (var word in alternate)
            {
                hash = (hash ^ word) * 0x9E3779B97F4A7C15;
                hash ^= hash >> 29;
            }

            return (int)(hash ^ (hash >> 32));
        }

        public ulong[] Create(ReadOnlySpan<ulong> alternate) => alternate.ToArray();
    }
}
