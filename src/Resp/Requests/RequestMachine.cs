// To which part of a request does the next byte belong, and is it allowed there?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// Reads one request at a time, and can stop and continue at every byte. All errors of <see cref="RespRequestFramer{TFilter}"/> are found here: the
/// framer's fast path recognises only what is plainly valid, and leaves everything else to this class. Inline lines are read by
/// <see cref="InlineLine"/>.
/// </summary>
internal sealed class RequestMachine(RespLimits limits)
{
    /// <summary>Longer bodies are not read by the fast path, because they would gain nothing.</summary>
    private const int MaxContiguousBody = 16 * 1024 * 1024;

    private Phase _phase;
    private HeaderNumber _number;
    private int _lineLength;
    private long _argumentsLeft;
    private bool _nameKnown;
    private CommandNameHead _head;
    private InlineLine _inline = new(limits.MaxInlineBytes);

    /// <summary>What is read next.</summary>
    private enum Phase : byte
    {
        Boundary,

        /// <summary>The first word of an inline line, and blanks in front of it.</summary>
        InlineName,
        InlineRest,
        Count,
        CountLf,
        Dollar,
        Length,
        LengthLf,
        Body,
        BodyCr,
        BodyLf,
    }

    /// <summary>The largest body that the fast path may skip by itself.</summary>
    public int ContiguousBodyLimit { get; } = (int)Math.Min(limits.MaxBulkBytes, MaxContiguousBody);

    public bool AtBoundary => _phase == Phase.Boundary;

    /// <summary>Whether a request is being read whose name is already known. Its bytes may be forwarded as they come.</summary>
    public bool IsInNamedRequest => _nameKnown && _phase is not (Phase.Boundary or Phase.InlineName or Phase.Count or Phase.CountLf);

    public ReadOnlySpan<byte> NameHead => _head.Span;

    /// <summary>Bytes of the command name. For an inline line at most <see cref="CommandNameHead.Capacity"/> are counted.</summary>
    public long NameLength { get; private set; }

    /// <summary>Arguments of the request, its name included; for an inline line <see cref="IRequestFilter.UnknownCount"/>.</summary>
    public long ArgumentCount { get; private set; }

    /// <summary>Whether a second name may be reported for the same request. This happens for an inline line that servers split differently.</summary>
    public bool MayTellAnotherName => _phase == Phase.InlineName;

    /// <summary>Bytes that are still missing of the body being read.</summary>
    public long BodyLeft { get; private set; }

    /// <summary>
    /// The bytes of the current span in front of this index are valid, and may be forwarded because their request's name is known. The framer sets it
    /// at the start of each span: to 0 at a boundary, and to -1 inside a request. It stays -1 while no byte of the span may be forwarded.
    /// </summary>
    public int ValidTo { get; set; }

    /// <summary>The error line for the client, after <see cref="MachineStop.Malformed"/>.</summary>
    public string Error { get; private set; } = "";

    /// <summary>Whether the request being read, or else the last one, is an inline line.</summary>
    public bool IsInline { get; private set; }

    /// <summary>Whether the request is held whole. Then an inline line must not be longer than every server accepts, no matter when its LF arrives.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Discards what has been read of the current request.</summary>
    public void Reset()
    {
        _phase = Phase.Boundary;
        BodyLeft = 0;
    }

    /// <summary>Continues a request whose count and name the fast path has read. The next byte should be the '$' of an argument.</summary>
    public void EnterArguments(long argumentsLeft)
    {
        _phase = Phase.Dollar;
        _argumentsLeft = argumentsLeft;
        _nameKnown = true;
    }

    /// <summary>Reads until the span ends, the request ends, its name is known, or a byte is not allowed.</summary>
    public MachineStop Advance(ReadOnlySpan<byte> bytes, ref int position)
    {
        while (position < bytes.Length)
        {
            var stop = _phase switch
            {
                Phase.Boundary => Begin(bytes, ref position),
                Phase.InlineName => ReadInlineName(bytes, ref position),
                Phase.InlineRest => ReadInlineRest(bytes, ref position),
                Phase.Count => ReadCount(bytes, ref position),
                Phase.CountLf => ReadCountLf(bytes, ref position),
                Phase.Dollar => ReadDollar(bytes, ref position),
                Phase.Length => ReadLength(bytes, ref position),
                Phase.LengthLf => ReadLengthLf(bytes, ref position),
                Phase.Body => ReadBody(bytes, ref position),
                Phase.BodyCr => ReadBodyCr(bytes, ref position),
                _ => ReadBodyLf(bytes, ref position),
            };
            if (stop != MachineStop.None) return stop;
            if (_phase == Phase.Boundary) return MachineStop.None;
        }

        return MachineStop.None;
    }

    private MachineStop Begin(ReadOnlySpan<byte> bytes, ref int position)
    {
        _head.Clear();
        _nameKnown = false;
        IsInline = bytes[position] != '*';
        if (IsInline)
        {
            _inline.Begin();
            _phase = Phase.InlineName;
        }
        else
        {
            position++;
            _lineLength = 1;
            _number = new HeaderNumber(lowest: long.MinValue);
            _phase = Phase.Count;
        }

        return MachineStop.None;
    }

    private MachineStop ReadInlineName(ReadOnlySpan<byte> bytes, ref int position)
    {
        var stop = _inline.ReadName(bytes, ref position);
        if (stop == MachineStop.Malformed) return Malformed(_inline.Error);
        if (_inline.HasEnded) EndRequest(position);
        if (stop == MachineStop.None) return stop;
        _head = _inline.Name;
        NameLength = _head.Length;
        ArgumentCount = IRequestFilter.UnknownCount;
        if (!_inline.IsNameCertain) return stop;
        _phase = Phase.InlineRest;
        return KnowName(position);
    }

    private MachineStop ReadInlineRest(ReadOnlySpan<byte> bytes, ref int position)
    {
        var stop = _inline.ReadRest(bytes, ref position, IsHeld);
        if (stop == MachineStop.Malformed) return Malformed(_inline.Error);
        ValidTo = position;
        if (_inline.HasEnded) EndRequest(position);
        return stop;
    }

    private MachineStop ReadCount(ReadOnlySpan<byte> bytes, ref int position) =>
        ReadNumber(bytes, ref position, limits.MaxArguments, RequestErrors.InvalidCount, RequestErrors.TooBigCountLine, Phase.CountLf);

    private MachineStop ReadCountLf(ReadOnlySpan<byte> bytes, ref int position)
    {
        if (bytes[position] != '\n') return Malformed(RequestErrors.InvalidCrlf);
        position++;
        ArgumentCount = _number.Value;
        _argumentsLeft = _number.Value;
        if (_argumentsLeft <= 0) EndRequest(position);
        else _phase = Phase.Dollar;
        return MachineStop.None;
    }

    private MachineStop ReadDollar(ReadOnlySpan<byte> bytes, ref int position)
    {
        if (_nameKnown)
        {
            SkipContiguousArguments(bytes, ref position);
            if (_phase == Phase.Boundary || position == bytes.Length) return MachineStop.None;
        }

        var value = bytes[position];
        if (value != '$') return Malformed(RequestErrors.ExpectedDollar(value));
        position++;
        _lineLength = 1;
        _number = default;
        _phase = Phase.Length;
        return MachineStop.None;
    }

    private void SkipContiguousArguments(ReadOnlySpan<byte> bytes, ref int position)
    {
        while (_argumentsLeft > 0)
        {
            var behind = ContiguousArgument.Skip(bytes, position, ContiguousBodyLimit, out _);
            if (behind < 0) break;
            position = behind;
            _argumentsLeft--;
        }

        if (_argumentsLeft == 0) EndRequest(position);
        else ValidTo = position;
    }

    private MachineStop ReadLength(ReadOnlySpan<byte> bytes, ref int position) =>
        ReadNumber(bytes, ref position, limits.MaxBulkBytes, RequestErrors.InvalidLength, RequestErrors.TooBigLengthLine, Phase.LengthLf);

    /// <summary>Reads the number of a header line, and the CR behind it.</summary>
    private MachineStop ReadNumber(ReadOnlySpan<byte> bytes, ref int position, long highest, string invalid, string tooLong, Phase next)
    {
        for (; position < bytes.Length; position++)
        {
            var value = bytes[position];
            if (value == '\r')
            {
                if (!_number.IsComplete || _number.Value > highest) return Malformed(invalid);
                position++;
                _phase = next;
                return MachineStop.None;
            }

            if (++_lineLength > limits.MaxInlineBytes) return Malformed(tooLong);
            if (!_number.TryAdd(value)) return Malformed(invalid);
        }

        return MachineStop.None;
    }

    private MachineStop ReadLengthLf(ReadOnlySpan<byte> bytes, ref int position)
    {
        if (bytes[position] != '\n') return Malformed(RequestErrors.InvalidCrlf);
        position++;
        BodyLeft = _number.Value;
        _phase = BodyLeft > 0 ? Phase.Body : Phase.BodyCr;
        if (_nameKnown)
        {
            ValidTo = position;
            return MachineStop.None;
        }

        NameLength = BodyLeft;
        return BodyLeft > 0 ? MachineStop.None : KnowName(position);
    }

    private MachineStop ReadBody(ReadOnlySpan<byte> bytes, ref int position)
    {
        var taken = (int)Math.Min(BodyLeft, bytes.Length - position);
        if (!_nameKnown) _head.Append(bytes.Slice(position, taken));
        position += taken;
        BodyLeft -= taken;
        if (BodyLeft == 0) _phase = Phase.BodyCr;
        if (!_nameKnown) return BodyLeft == 0 || _head.IsFull ? KnowName(position) : MachineStop.None;
        ValidTo = position;
        return MachineStop.None;
    }

    private MachineStop KnowName(int position)
    {
        _nameKnown = true;
        ValidTo = position;
        return MachineStop.NameKnown;
    }

    private MachineStop ReadBodyCr(ReadOnlySpan<byte> bytes, ref int position)
    {
        if (bytes[position] != '\r') return Malformed(RequestErrors.InvalidCrlf);
        position++;
        _phase = Phase.BodyLf;
        return MachineStop.None;
    }

    private MachineStop ReadBodyLf(ReadOnlySpan<byte> bytes, ref int position)
    {
        if (bytes[position] != '\n') return Malformed(RequestErrors.InvalidCrlf);
        position++;
        ValidTo = position;
        _phase = Phase.Dollar;
        if (--_argumentsLeft == 0) EndRequest(position);
        return MachineStop.None;
    }

    private void EndRequest(int position)
    {
        _phase = Phase.Boundary;
        ValidTo = position;
    }

    private MachineStop Malformed(string error)
    {
        Error = error;
        return MachineStop.Malformed;
    }
}
