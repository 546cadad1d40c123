// Where does a reply or a push end?
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Resp.Replies;

/// <summary>
/// Finds the end of each reply or push, in whatever pieces the bytes arrive, for RESP2 and RESP3:
/// <code>
/// frame     = *attribute element
/// element   = ("+" / "-" / ":" / "," / "#" / "(" / "_") text CRLF
///           / ("$" / "!" / "=") length CRLF bytes CRLF / "$-1" CRLF
///           / ("*" / "~" / ">") count CRLF count(element) / "*-1" CRLF
///           / "%" count CRLF 2count(element)
/// attribute = "|" count CRLF 2count(element)
/// </code>
/// An attribute belongs to the element behind it. A push inside another element does not count as one of its elements: Redis before 7.2 sends
/// invalidation pushes inside the array that EXEC replies with. The streamed types (<c>$?</c>, <c>*?</c>) are refused; Redis does not send them.
/// Frames may be nested at most <see cref="MaxDepth"/> deep. See https://redis.io/docs/latest/develop/reference/protocol-spec/.
/// </summary>
/// <remarks>Keeps no bytes. The default value is ready for the first frame. A mutable struct: keep it in a field that is not readonly.</remarks>
public struct RespReplyFramer
{
    /// <summary>How deep elements may be nested.</summary>
    public const int MaxDepth = 32;

    private const int MaxContiguousBody = 16 * 1024 * 1024;

    private Phase _phase;
    private byte _type;
    private HeaderNumber _number;
    private long _bodyLeft;
    private long _offset;

    /// <summary>For each level, how many elements are still missing of the element that is open there. Level 0 is the frame itself.</summary>
    private DueByLevel _due;
    private int _level;
    private bool _isInside;

    /// <summary>What is read next.</summary>
    private enum Phase : byte
    {
        Boundary,
        Type,
        Text,
        TextLf,
        Number,
        NumberLf,
        Body,
        BodyCr,
        BodyLf,
    }

    /// <summary>Whether the next byte begins a new frame.</summary>
    public readonly bool AtBoundary => _phase == Phase.Boundary;

    /// <summary>
    /// First byte of the frame being read, or else of the last one: its type, or '|' if it begins with an attribute. 0 before the first frame.
    /// </summary>
    public byte FirstByte { get; private set; }

    /// <summary>Reads the next bytes. Returns true if a frame ended in them.</summary>
    /// <param name="bytes">The bytes behind those consumed before.</param>
    /// <param name="consumed">Number of bytes up to and including the frame's end, or all of them.</param>
    /// <exception cref="RespProtocolException">The bytes are not a reply.</exception>
    public bool TryAdvance(ReadOnlySpan<byte> bytes, out int consumed)
    {
        var position = 0;
        while (position < bytes.Length)
        {
            switch (_phase)
            {
                case Phase.Boundary:
                    FirstByte = bytes[position];
                    _level = 0;
                    _due[0] = 1;
                    _phase = Phase.Type;
                    break;
                case Phase.Type:
                    ReadType(bytes, ref position);
                    break;
                case Phase.Text:
                    ReadText(bytes, ref position);
                    break;
                case Phase.Number:
                    ReadNumber(bytes, ref position);
                    break;
                case Phase.Body:
                    var taken = (int)Math.Min(_bodyLeft, bytes.Length - position);
                    position += taken;
                    _bodyLeft -= taken;
                    if (_bodyLeft == 0) _phase = Phase.BodyCr;
                    break;
                case Phase.BodyCr:
                    Demand(bytes, ref position, '\r');
                    _phase = Phase.BodyLf;
                    break;
                case Phase.NumberLf:
                    Demand(bytes, ref position, '\n');
                    BeginContent(position - 1);
                    break;
                default: // TextLf, BodyLf
                    Demand(bytes, ref position, '\n');
                    EndElement();
                    break;
            }

            if (_phase != Phase.Boundary) continue;
            consumed = position;
            _offset += position;
            return true;
        }

        consumed = position;
        _offset += position;
        return false;
    }

    /// <summary>A framer that reads the next <paramref name="count"/> elements inside a frame as if they were a frame. The count is at least 1.</summary>
    internal static RespReplyFramer ForElements(long count)
    {
        var framer = new RespReplyFramer { _phase = Phase.Type, _isInside = true };
        framer._due[0] = count;
        return framer;
    }

    private void ReadType(ReadOnlySpan<byte> bytes, ref int position)
    {
        _type = bytes[position];
        switch ((char)_type)
        {
            case '$':
                // The common case, and most of the bytes: a bulk string that lies whole in the span.
                var behind = ContiguousArgument.Skip(bytes, position, MaxContiguousBody, out _);
                if (behind >= 0)
                {
                    position = behind;
                    EndElement();
                    return;
                }

                _number = new HeaderNumber(lowest: -1);
                _phase = Phase.Number;
                break;
            case '*':
                _number = new HeaderNumber(lowest: -1);
                _phase = Phase.Number;
                break;
            case '!' or '=' or '~' or '>' or '%' or '|':
                _number = default;
                _phase = Phase.Number;
                break;
            case '+' or '-' or ':' or ',' or '#' or '(' or '_':
                _phase = Phase.Text;
                break;
            default:
                Throw("unknown reply type", position, _type);
                break;
        }

        position++;
    }

    private void ReadText(ReadOnlySpan<byte> bytes, ref int position)
    {
        var length = bytes[position..].IndexOfAny((byte)'\r', (byte)'\n');
        if (length < 0)
        {
            position = bytes.Length;
            return;
        }

        position += length;
        Demand(bytes, ref position, '\r');
        _phase = Phase.TextLf;
    }

    private void ReadNumber(ReadOnlySpan<byte> bytes, ref int position)
    {
        for (; position < bytes.Length; position++)
        {
            if (bytes[position] == '\r')
            {
                CheckNumber(position);
                position++;
                _phase = Phase.NumberLf;
                return;
            }

            if (!_number.TryAdd(bytes[position])) Throw("invalid length", position, bytes[position]);
        }
    }

    private readonly void CheckNumber(int position)
    {
        var limit = _type is (byte)'$' or (byte)'!' or (byte)'=' ? RespLimits.Default.MaxBulkBytes : int.MaxValue;
        if (!_number.IsComplete || _number.Value > limit) Throw("invalid length", position, (byte)'\r');
    }

    /// <summary>Called behind the header line of a bulk string or an aggregate.</summary>
    private void BeginContent(int position)
    {
        var number = _number.Value;
        if (_type is (byte)'$' or (byte)'!' or (byte)'=')
        {
            _bodyLeft = number;
            if (number < 0) EndElement();
            else _phase = number == 0 ? Phase.BodyCr : Phase.Body;
            return;
        }

        var isBeside = _type == '|' || (_type == '>' && (_level > 0 || _isInside));
        if (!isBeside) _due[_level]--;
        var elements = _type is (byte)'%' or (byte)'|' ? 2 * number : number;
        if (elements > 0) Open(elements, position);
        Continue();
    }

    private void Open(long elements, int position)
    {
        if (_level == MaxDepth) Throw("nested too deep", position, _type);
        _due[++_level] = elements;
    }

    private void EndElement()
    {
        _due[_level]--;
        Continue();
    }

    /// <summary>Closes all elements that are complete, possibly up to the frame itself.</summary>
    private void Continue()
    {
        while (_due[_level] == 0)
        {
            if (_level == 0)
            {
                _phase = Phase.Boundary;
                return;
            }

            _level--;
        }

        _phase = Phase.Type;
    }

    private readonly void Demand(ReadOnlySpan<byte> bytes, ref int position, char expected)
    {
        if (bytes[position] != expected) Throw("a line or a body ends wrong", position, bytes[position]);
        position++;
    }

    [DoesNotReturn]
    private readonly void Throw(string what, int position, byte got) =>
        throw new RespProtocolException($"Protocol error in a reply: {what} (0x{got:x2})", _offset + position);

    [InlineArray(MaxDepth + 1)]
    private struct DueByLevel
    {
        private long _first;
    }
}
