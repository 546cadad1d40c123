// Which part of a request does the next byte belong to, and is it allowed there?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// Reads one request at a time, resumable at every byte: the part of <see cref="RespRequestFramer{TFilter}"/> that judges. Its fast
/// path only recognises what is plainly valid; everything else, and every error, is found here.
/// </summary>
internal sealed class RequestMachine(RespLimits limits)
{
    /// <summary>Longer bodies need no fast path.</summary>
    private const int MaxContiguousBody = 16 * 1024 * 1024;

    private Phase _phase;
    private HeaderNumber _number;
    private int _lineLength;
    private long _argumentsLeft;
    private bool _nameKnown;
    private CommandNameHead _head;
    private InlineLexer<InlineNameSink> _inline;

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

    /// <summary>The largest body that may be skipped without asking this machine.</summary>
    public int ContiguousBodyLimit { get; } = (int)Math.Min(limits.MaxBulkBytes, MaxContiguousBody);

    public bool AtBoundary => _phase == Phase.Boundary;

    /// <summary>Inside a request that may be forwarded as it comes.</summary>
    public bool IsInNamedRequest => _nameKnown && _phase is not (Phase.Boundary or Phase.InlineName or Phase.Count or Phase.CountLf);

    public ReadOnlySpan<byte> NameHead => _head.Span;

    /// <summary>Of an inline line no more than <see cref="CommandNameHead.Capacity"/>.</summary>
    public long NameLength { get; private set; }

    /// <summary>Of an inline line <see cref="IRequestFilter.UnknownCount"/>.</summary>
    public long ArgumentCount { get; private set; }

    /// <summary>Of the request being read another name may be told: servers divide its line differently.</summary>
    public bool MayTellAnotherName => _phase == Phase.InlineName;

    /// <summary>Bytes still due of the body being read.</summary>
    public long BodyLeft { get; private set; }

    /// <summary>
    /// Index in the current span up to which bytes are valid and, as the name is known, may be forwarded. Set to -1 at the start of each span by
    /// the owner; stays -1 when nothing new is.
    /// </summary>
    public int ValidTo { get; set; }

    public string Error { get; private set; } = "";

    /// <summary>The request being read, or the last one, is an inline line.</summary>
    public bool IsInline { get; private set; }

    /// <summary>The request is held whole. Then its line must not be longer than all servers take, whenever its LF arrives.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Forgets the request being read.</summary>
    public void Reset()
    {
        _phase = Phase.Boundary;
        BodyLeft = 0;
    }

    /// <summary>Goes on inside a request whose count and name have been read elsewhere: next comes a '$'.</summary>
    public void EnterArguments(long argumentsLeft)
    {
        _phase = Phase.Dollar;
        _argumentsLeft = argumentsLeft;
        _nameKnown = true;
    }

    /// <summary>Reads on until the span or the request ends, or there is something to say.</summary>
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
        _lineLength = 0;
        IsInline = bytes[position] != '*';
        if (!IsInline)
        {
            position++;
            _lineLength = 1;
            _number = new HeaderNumber(lowest: long.MinValue);
            _phase = Phase.Count;
        }
        else
        {
            _inline = new InlineLexer<InlineNameSink>(default, quotesMayJoin: true);
            _phase = Phase.InlineName;
        }

        return MachineStop.None;
    }

    private MachineStop ReadInlineName(ReadOnlySpan<byte> bytes, ref int position)
    {
        while (position < bytes.Length)
        {
            var value = bytes[position];
            if (value == 0) return Malformed(RequestErrors.ZeroByteInline);
            if (value == '\n') return EndInlineName(ref position);
            if (++_lineLength > limits.MaxInlineBytes) return Malformed(RequestErrors.TooBigInline);
            position++;
            if (_inline.DivideAt(value))
            {
                TellInlineName();
                _inline.Add(value);
                return MachineStop.NameKnown;
            }

            _inline.Add(value);
            if (!_inline.Sink.HasBegun || !(_inline.IsBetweenArguments || _inline.Sink.Head.IsFull)) continue;
            TellInlineName();
            _phase = Phase.InlineRest;
            return KnowName(position);
        }

        return MachineStop.None;
    }

    /// <summary>The line is over, and the word with it, whether its quotes are balanced or not.</summary>
    private MachineStop EndInlineName(ref int position)
    {
        position++;
        EndRequest(position);
        if (!_inline.Sink.HasBegun) return MachineStop.None;
        TellInlineName();
        return MachineStop.NameKnown;
    }

    private void TellInlineName()
    {
        _head = _inline.Sink.Head;
        NameLength = _head.Length;
        ArgumentCount = IRequestFilter.UnknownCount;
    }

    /// <summary>What the line's quotes mean is the server's to say. So is its length, which servers judge by what has arrived when they look.</summary>
    private MachineStop ReadInlineRest(ReadOnlySpan<byte> bytes, ref int position)
    {
        var allowed = IsHeld ? limits.MaxInlineBytes - _lineLength : int.MaxValue;
        var rest = bytes[position..];
        var length = rest.IndexOfAny((byte)'\n', (byte)0);
        if (length > allowed || (length < 0 && rest.Length > allowed))
        {
            position += allowed;
            return Malformed(RequestErrors.TooBigInline);
        }

        var taken = length < 0 ? rest.Length : length;
        if (IsHeld) _lineLength += taken;
        position += taken;
        ValidTo = position;
        if (length < 0) return MachineStop.None;
        if (bytes[position] == 0) return Malformed(RequestErrors.ZeroByteInline);
        position++;
        EndRequest(position);
        return MachineStop.None;
    }

    private MachineStop ReadCount(ReadOnlySpan<byte> bytes, ref int position)
    {
        for (; position < bytes.Length; position++)
        {
            var value = bytes[position];
            if (value == '\r') return EndCount(ref position);
            if (++_lineLength > limits.MaxInlineBytes) return Malformed(RequestErrors.TooBigCountLine);
            if (!_number.TryAdd(value)) return Malformed(RequestErrors.InvalidCount);
        }

        return MachineStop.None;
    }

    private MachineStop EndCount(ref int position)
    {
        if (!_number.IsComplete || _number.Value > limits.MaxArguments) return Malformed(RequestErrors.InvalidCount);
        position++;
        _phase = Phase.CountLf;
        return MachineStop.None;
    }

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

    private MachineStop ReadLength(ReadOnlySpan<byte> bytes, ref int position)
    {
        for (; position < bytes.Length; position++)
        {
            var value = bytes[position];
            if (value == '\r') return EndLength(ref position);
            if (++_lineLength > limits.MaxInlineBytes) return Malformed(RequestErrors.TooBigLengthLine);
            if (!_number.TryAdd(value)) return Malformed(RequestErrors.InvalidLength);
        }

        return MachineStop.None;
    }

    private MachineStop EndLength(ref int position)
    {
        if (!_number.IsComplete || _number.Value > limits.MaxBulkBytes) return Malformed(RequestErrors.InvalidLength);
        position++;
        _phase = Phase.LengthLf;
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
