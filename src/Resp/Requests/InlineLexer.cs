// Which arguments does an inline line contain?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// Splits an inline line byte by byte, as <c>sdssplitargs</c> in the server's <c>sds.c</c> does:
/// <code>
/// line     = *( blank / argument )
/// argument = *( byte / escaped ) with "..." (escapes \xHH \n \r \t \b \a \any) or '...' (escape \')
/// </code>
/// Servers differ in four ways:
/// <list type="bullet">
/// <item>Behind a closing quote: up to Redis 8 and Valkey 8.1 the argument ends there, and only a blank may follow. On Valkey 9 it goes on.</item>
/// <item>Vertical tab and form feed are blanks in front of an argument and do not end one. Up to Redis 8 they may follow a closing quote.</item>
/// <item>A backslash between quotes in front of the line's last byte: Valkey 9 takes it as it is. Others call such a line unbalanced.</item>
/// <item>Valkey 9.1 leaves out every byte 0xFF that is not written as an escape: <c>\xFFPING</c>, with that byte in front, is PING there.</item>
/// </list>
/// The caller does not pass in the line's LF. It may pass in a CR in front of it, which counts as a blank.
/// </summary>
/// <param name="quotesMayJoin">
/// True: read the line as Valkey 9 does. False: accept only what all servers read alike; for any other line <see cref="IsBalanced"/> is false.
/// </param>
internal struct InlineLexer<TSink>(TSink sink, bool quotesMayJoin)
    where TSink : struct, IArgumentSink
{
    private const byte LeftOut = 0xFF;

    private State _state;
    private byte _firstHexDigit;
    private bool _hasJoined;

    /// <summary>A field and not a property, because the sink is a mutable struct.</summary>
    public TSink Sink = sink;

    private enum State : byte
    {
        Blank,
        Bare,
        Double,
        DoubleEscape,
        DoubleHex,
        DoubleHexSecond,
        Single,
        SingleEscape,
        AfterQuote,
        Unbalanced,
    }

    /// <summary>Whether the line may end here: no quote is open.</summary>
    public readonly bool IsBalanced => _state is State.Blank or State.Bare or State.AfterQuote;

    /// <summary>Whether the previous argument, if any, has ended. A further byte cannot belong to it.</summary>
    public readonly bool IsBetweenArguments => _state == State.Blank;

    /// <summary>Whether this byte, which comes next, ends the argument on some servers but not on others.</summary>
    public readonly bool DivideAt(byte value) => _state == State.AfterQuote && !_hasJoined && value is (byte)'\v' or (byte)'\f';

    public void Add(byte value)
    {
        if (value == LeftOut && !quotesMayJoin) _state = State.Unbalanced;
        switch (_state)
        {
            case State.Blank:
                if (IsBlank(value)) break;
                Sink.BeginArgument();
                AddBare(value);
                break;
            case State.Bare:
                AddBare(value);
                break;
            case State.Double:
                AddDouble(value);
                break;
            case State.DoubleEscape:
                AddEscaped(value);
                break;
            case State.DoubleHex or State.DoubleHexSecond:
                AddHex(value);
                break;
            case State.Single:
                AddSingle(value);
                break;
            case State.SingleEscape:
                _state = State.Single;
                if (value == '\'')
                {
                    Sink.Add(value);
                    break;
                }

                Sink.Add((byte)'\\');
                AddSingle(value);
                break;
            case State.AfterQuote:
                AddBehindQuote(value);
                break;
        }
    }

    private static bool IsBlank(byte value) => value is (byte)' ' or (>= (byte)'\t' and <= (byte)'\r');

    private static int HexValue(byte digit) => char.IsAsciiDigit((char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static bool EndsArgument(byte value) => value is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t';

    private void AddBehindQuote(byte value)
    {
        if (EndsArgument(value))
        {
            _state = State.Blank;
            return;
        }

        if (!quotesMayJoin)
        {
            _state = State.Unbalanced;
            return;
        }

        _hasJoined = true;
        AddBare(value);
    }

    private void AddBare(byte value)
    {
        switch (value)
        {
            case var end when EndsArgument(end):
                _state = State.Blank;
                break;
            case (byte)'"':
                _state = State.Double;
                break;
            case (byte)'\'':
                _state = State.Single;
                break;
            default:
                _state = State.Bare;
                AddAsWritten(value);
                break;
        }
    }

    /// <summary>Adds a byte that stands for itself.</summary>
    private void AddAsWritten(byte value)
    {
        if (value != LeftOut) Sink.Add(value);
    }

    private void AddDouble(byte value)
    {
        if (value == '\\') _state = State.DoubleEscape;
        else if (value == '"') _state = State.AfterQuote;
        else AddAsWritten(value);
    }

    private void AddSingle(byte value)
    {
        if (value == '\\') _state = State.SingleEscape;
        else if (value == '\'') _state = State.AfterQuote;
        else AddAsWritten(value);
    }

    private void AddEscaped(byte value)
    {
        if (value == 'x')
        {
            _state = State.DoubleHex;
            return;
        }

        _state = State.Double;
        AddAsWritten((char)value switch
        {
            'n' => (byte)'\n',
            'r' => (byte)'\r',
            't' => (byte)'\t',
            'b' => (byte)'\b',
            'a' => (byte)'\a',
            _ => value,
        });
    }

    /// <summary>Handles the bytes behind <c>\x</c>. Without two hex digits, the x and the bytes behind it stand for themselves.</summary>
    private void AddHex(byte value)
    {
        var isDigit = char.IsAsciiHexDigit((char)value);
        if (_state == State.DoubleHex && isDigit)
        {
            _firstHexDigit = value;
            _state = State.DoubleHexSecond;
            return;
        }

        var hadDigit = _state == State.DoubleHexSecond;
        _state = State.Double;
        if (hadDigit && isDigit)
        {
            Sink.Add((byte)((HexValue(_firstHexDigit) << 4) | HexValue(value)));
            return;
        }

        Sink.Add((byte)'x');
        if (hadDigit) Sink.Add(_firstHexDigit);
        AddDouble(value);
    }
}
