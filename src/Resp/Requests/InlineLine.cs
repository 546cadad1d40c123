// Which name does an inline line begin with, and how much of the line has been read?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// Reads one inline line, resumable at every byte. The bytes of its first word are looked at; what the quotes behind it mean is for the server to judge.
/// </summary>
/// <remarks>A mutable struct: keep it in a field that is not readonly.</remarks>
/// <param name="maxBytes">Longer lines are refused.</param>
internal struct InlineLine(int maxBytes)
{
    private InlineLexer<InlineNameSink> _lexer;
    private CommandNameHead _name;
    private int _length;

    /// <summary>The head of the name, as <see cref="ReadName"/> told it last.</summary>
    public readonly CommandNameHead Name => _name;

    /// <summary>No server reads another name from the rest of the line, or the head is full: go on with <see cref="ReadRest"/>.</summary>
    public bool IsNameCertain { get; private set; }

    /// <summary>The LF has been read.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>After <see cref="MachineStop.Malformed"/>.</summary>
    public string Error { get; private set; } = "";

    /// <summary>Forgets the line that was read before.</summary>
    public void Begin()
    {
        _lexer = new InlineLexer<InlineNameSink>(default, quotesMayJoin: true);
        _length = 0;
        (IsNameCertain, HasEnded) = (false, false);
    }

    /// <summary>Reads blanks and the first word. Tells a name more than once where servers divide the line differently.</summary>
    public MachineStop ReadName(ReadOnlySpan<byte> bytes, ref int position)
    {
        while (position < bytes.Length)
        {
            var value = bytes[position];
            if (value == 0) return Malformed(RequestErrors.ZeroByteInline);
            if (value == '\n') return EndInName(ref position);
            if (++_length > maxBytes) return Malformed(RequestErrors.TooBigInline);
            position++;
            if (_lexer.DivideAt(value))
            {
                var stop = TellName();
                _lexer.Add(value);
                return stop;
            }

            _lexer.Add(value);
            if (!_lexer.Sink.HasBegun || !(_lexer.IsBetweenArguments || _lexer.Sink.Head.IsFull)) continue;
            IsNameCertain = true;
            return TellName();
        }

        return MachineStop.None;
    }

    /// <summary>
    /// Reads on to the LF. The length of the rest counts for a held line only: servers judge it by what has arrived when they look, so a line that is passed on is left to them.
    /// </summary>
    public MachineStop ReadRest(ReadOnlySpan<byte> bytes, ref int position, bool isHeld)
    {
        var allowed = isHeld ? maxBytes - _length : int.MaxValue;
        var rest = bytes[position..];
        var length = rest.IndexOfAny((byte)'\n', (byte)0);
        if (length > allowed || (length < 0 && rest.Length > allowed))
        {
            position += allowed;
            return Malformed(RequestErrors.TooBigInline);
        }

        var taken = length < 0 ? rest.Length : length;
        if (isHeld) _length += taken;
        position += taken;
        if (length < 0) return MachineStop.None;
        if (bytes[position] == 0) return Malformed(RequestErrors.ZeroByteInline);
        position++;
        HasEnded = true;
        return MachineStop.None;
    }

    /// <summary>The line is over, and its first word too, whether its quotes are balanced or not.</summary>
    private MachineStop EndInName(ref int position)
    {
        position++;
        HasEnded = true;
        return _lexer.Sink.HasBegun ? TellName() : MachineStop.None;
    }

    private MachineStop TellName()
    {
        _name = _lexer.Sink.Head;
        return MachineStop.NameKnown;
    }

    private MachineStop Malformed(string error)
    {
        Error = error;
        return MachineStop.Malformed;
    }
}
