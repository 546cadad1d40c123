// What does a complete reply or push contain?
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace KeyEvt.Resp.Replies;

/// <summary>
/// Reads one complete frame (see <see cref="RespReplyFramer"/>) element by element, without copying. Attributes, and pushes inside another element,
/// are skipped. Each method expects one kind of element. It throws <see cref="RespProtocolException"/> if another kind follows.
/// </summary>
public ref struct RespReplyReader(ReadOnlySpan<byte> frame)
{
    private readonly ReadOnlySpan<byte> _frame = frame;
    private int _position;
    private bool _isInside;

    /// <summary>The next element's kind. Reading it consumes only skipped attributes and pushes, not the element.</summary>
    public RespKind Kind
    {
        get
        {
            SkipBeside();
            if (_position == _frame.Length) return RespKind.End;
            return (char)_frame[_position] switch
            {
                '+' => RespKind.SimpleString,
                '-' or '!' => RespKind.Error,
                ':' => RespKind.Integer,
                '$' => IsNullHeader() ? RespKind.Null : RespKind.Bulk,
                '=' => RespKind.Verbatim,
                ',' => RespKind.Double,
                '#' => RespKind.Boolean,
                '(' => RespKind.BigNumber,
                '_' => RespKind.Null,
                '*' => IsNullHeader() ? RespKind.Null : RespKind.Array,
                '~' => RespKind.Set,
                '>' => RespKind.Push,
                '%' => RespKind.Map,
                _ => throw Malformed("unknown reply type"),
            };
        }
    }

    /// <summary>Bytes read so far.</summary>
    public readonly int Consumed => _position;

    /// <summary>Reads the header of an array, a set or a push. Returns how many elements follow.</summary>
    public int ReadArrayHeader()
    {
        var kind = Kind;
        if (kind is not (RespKind.Array or RespKind.Set or RespKind.Push)) ThrowUnexpected(kind, "an array");
        return ReadCount();
    }

    /// <summary>
    /// Reads the header of a map, or of an array that stands for a map, since RESP2 has no maps. Returns how many pairs follow, each a key and then
    /// its value.
    /// </summary>
    public int ReadMapHeader()
    {
        var kind = Kind;
        if (kind == RespKind.Map) return ReadCount();
        if (kind != RespKind.Array) ThrowUnexpected(kind, "a map");
        var elements = ReadCount();
        if (elements % 2 != 0) throw Malformed("an array of pairs has an odd length");
        return elements / 2;
    }

    /// <summary>Reads a string in any of its forms: bulk, simple, or verbatim without its format.</summary>
    public ReadOnlySpan<byte> ReadBulk()
    {
        var kind = Kind;
        switch (kind)
        {
            case RespKind.SimpleString:
                return ReadLine();
            case RespKind.Bulk:
                return ReadBody();
            case RespKind.Verbatim:
                var body = ReadBody();
                if (body.Length < 4 || body[3] != ':') throw Malformed("verbatim text without a format");
                return body[4..];
            default:
                ThrowUnexpected(kind, "a string");
                return default;
        }
    }

    /// <summary>Reads a string as <see cref="ReadBulk"/> does. Returns false for null, which is consumed.</summary>
    public bool TryReadBulk(out ReadOnlySpan<byte> value)
    {
        var isNull = Kind == RespKind.Null;
        value = default;
        if (isNull) ReadNull();
        else value = ReadBulk();
        return !isNull;
    }

    /// <summary>Reads the text of <c>+text</c>.</summary>
    public ReadOnlySpan<byte> ReadSimple()
    {
        var kind = Kind;
        if (kind != RespKind.SimpleString) ThrowUnexpected(kind, "a simple string");
        return ReadLine();
    }

    /// <summary>Reads the text of an error, its code first.</summary>
    public ReadOnlySpan<byte> ReadError()
    {
        var kind = Kind;
        if (kind != RespKind.Error) ThrowUnexpected(kind, "an error");
        return _frame[_position] == '-' ? ReadLine() : ReadBody();
    }

    /// <summary>Reads an integer.</summary>
    public long ReadInteger()
    {
        var kind = Kind;
        if (kind != RespKind.Integer) ThrowUnexpected(kind, "an integer");
        return RespIntegers.TryParse(ReadLine(), out var value) ? value : throw Malformed("not an integer");
    }

    /// <summary>Reads a floating point number, or <c>inf</c>, <c>-inf</c> or <c>nan</c>.</summary>
    public double ReadDouble()
    {
        var kind = Kind;
        if (kind != RespKind.Double) ThrowUnexpected(kind, "a double");
        var text = ReadLine();
        if (text.SequenceEqual("inf"u8)) return double.PositiveInfinity;
        if (text.SequenceEqual("-inf"u8)) return double.NegativeInfinity;
        if (text.SequenceEqual("nan"u8)) return double.NaN;
        return Utf8Parser.TryParse(text, out double value, out var used) && used == text.Length ? value : throw Malformed("not a double");
    }

    /// <summary>Reads <c>#t</c> or <c>#f</c>.</summary>
    public bool ReadBoolean()
    {
        var kind = Kind;
        if (kind != RespKind.Boolean) ThrowUnexpected(kind, "a boolean");
        var text = ReadLine();
        return text is [(byte)'t'] || (text is [(byte)'f'] ? false : throw Malformed("not a boolean"));
    }

    /// <summary>Reads the digits of a big number as they were sent.</summary>
    public ReadOnlySpan<byte> ReadBigNumber()
    {
        var kind = Kind;
        if (kind != RespKind.BigNumber) ThrowUnexpected(kind, "a big number");
        return ReadLine();
    }

    /// <summary>Reads the text of any element that is a single value: a string, an error, or a number or boolean as it was sent.</summary>
    public ReadOnlySpan<byte> ReadText()
    {
        var kind = Kind;
        switch (kind)
        {
            case RespKind.SimpleString or RespKind.Bulk or RespKind.Verbatim:
                return ReadBulk();
            case RespKind.Error:
                return ReadError();
            case RespKind.Integer or RespKind.Double or RespKind.Boolean or RespKind.BigNumber:
                return ReadLine();
            default:
                ThrowUnexpected(kind, "a single value");
                return default;
        }
    }

    /// <summary>Reads null in any of its forms.</summary>
    public void ReadNull()
    {
        var kind = Kind;
        if (kind != RespKind.Null) ThrowUnexpected(kind, "null");
        ReadLine();
    }

    /// <summary>Skips the next element with everything inside it.</summary>
    public void Skip()
    {
        if (Kind == RespKind.End) ThrowUnexpected(RespKind.End, "an element");
        Skip(_isInside ? RespReplyFramer.ForElements(1) : default);
        _isInside = true;
    }

    private readonly bool IsNullHeader() => _frame[_position..].StartsWith(_frame[_position] == '$' ? "$-1\r\n"u8 : "*-1\r\n"u8);

    /// <summary>Skips attributes, and pushes inside another element, which do not count as elements.</summary>
    private void SkipBeside()
    {
        while (_position < _frame.Length)
        {
            var type = _frame[_position];
            if (type == '|') SkipAttribute();
            else if (type == '>' && _isInside) Skip(default);
            else return;
        }
    }

    private void SkipAttribute()
    {
        var wasInside = _isInside;
        var pairs = ReadCount();
        if (pairs > 0) Skip(RespReplyFramer.ForElements(2L * pairs));
        _isInside = wasInside;
    }

    private void Skip(RespReplyFramer framer)
    {
        if (!framer.TryAdvance(_frame[_position..], out var length)) throw Malformed("the frame is cut");
        _position += length;
    }

    /// <summary>Reads a count of elements. No element is shorter than its type byte and CRLF, so the count cannot exceed a third of the frame.</summary>
    private int ReadCount() => ReadNumber(_frame.Length / 3);

    private ReadOnlySpan<byte> ReadBody()
    {
        var length = ReadNumber(_frame.Length);
        if (_frame.Length - _position - 2 < length) throw Malformed("the frame is cut");
        var body = _frame.Slice(_position, length);
        if (!_frame[(_position + length)..].StartsWith("\r\n"u8)) throw Malformed("a body ends wrong");
        _position += length + 2;
        return body;
    }

    private int ReadNumber(int limit)
    {
        var isNumber = RespIntegers.TryParse(ReadLine(), out var value);
        return isNumber && value >= 0 && value <= limit ? (int)value : throw Malformed("invalid length");
    }

    /// <summary>The text between the type byte and CRLF.</summary>
    private ReadOnlySpan<byte> ReadLine()
    {
        _isInside = true;
        var rest = _frame[(_position + 1)..];
        var length = rest.IndexOf("\r\n"u8);
        if (length < 0) throw Malformed("the frame is cut");
        _position += length + 3;
        return rest[..length];
    }

    [DoesNotReturn]
    private readonly void ThrowUnexpected(RespKind got, string expected) => throw Malformed($"expected {expected}, got {got}");

    private readonly RespProtocolException Malformed(string what) => new($"Protocol error in a reply: {what}", _position);
}
