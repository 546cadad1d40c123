// What is the command name of an inline line, and where does the line end?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// Reads one inline line, and can stop and continue at every byte. Only the first word is looked at. What the quotes behind it mean is left to the
/// server.
/// </summary>
/// <remarks>A mutable struct: keep it in a field that is not readonly.</remarks>
/// <param name="maxBytes">Longer lines are refused.</param>
internal struct InlineLine(int maxBytes)
{
    private InlineLexer<InlineNameSink> _lexer;
    private CommandNameHead _name;
    private int _length;

    /// <summary>The head of the command name that <see cref="ReadName"/> reported last.</summary>
    public readonly CommandNameHead Name => _name;

    /// <summary>
    /// True when no server reads another name from the rest of the line, or when the name's head is full. Continue with <see cref="ReadRest"/>.
    /// </summary>
    public bool IsNameCertain { get; private set; }

    /// <summary>The LF has been read.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The error text after <see cref="MachineStop.Malformed"/>.</summary>
    public string Error { get; private set; } = "";

    /// <summary>Prepares for the next line.</summary>
    public void Begin()
    {
        _lexer = new InlineLexer<InlineNameSink>(default, quotesMayJoin: true);
        _length = 0;
        (IsNameCertain, HasEnded) = (false, false);
    }

    /// <summary>
    /// Reads leading blanks and the first word. Returns <see cref="MachineStop.NameKnown"/> more than once for a line that servers split differently.
    /// </summary>
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
    /// Reads on to the LF. The line's length is limited only if the line is held. Servers check the length of what has arrived when they look, so for
    /// a line that is forwarded the check is left to them.
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

    /// <summary>The LF ends the line and its first word, whether its quotes are balanced or not.</summary>
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
