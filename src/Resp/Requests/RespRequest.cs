// What does one complete request say?
using System.Text;

namespace KeyEvt.Resp.Requests;

/// <summary>
/// One complete request that owns its bytes, so it stays valid whatever happens to the buffers it came from. Created only for requests that the proxy
/// may answer itself.
/// </summary>
public sealed class RespRequest
{
    private readonly ReadOnlyMemory<byte>[] _arguments;

    /// <summary>Creates a request from its arguments, the name first.</summary>
    public RespRequest(params ReadOnlyMemory<byte>[] arguments)
        : this(arguments, isInline: false)
    {
    }

    private RespRequest(ReadOnlyMemory<byte>[] arguments, bool isInline)
    {
        ArgumentOutOfRangeException.ThrowIfZero(arguments.Length);
        _arguments = arguments;
        IsInline = isInline;
    }

    /// <summary>Number of arguments, the name included; at least 1.</summary>
    public int Count => _arguments.Length;

    /// <summary>Whether the client sent it as an inline line.</summary>
    public bool IsInline { get; }

    /// <summary>Argument <paramref name="index"/>; 0 is the name.</summary>
    public ReadOnlyMemory<byte> this[int index] => _arguments[index];

    /// <summary>Whether this is the command of that name. The name is ASCII, and case does not matter.</summary>
    public bool NameIs(ReadOnlySpan<byte> upperCaseName) => Ascii.EqualsIgnoreCase(_arguments[0].Span, upperCaseName);

    /// <summary>Splits a multibulk request that the framer has already found valid. The request keeps the array.</summary>
    internal static RespRequest FromMultibulk(byte[] frame)
    {
        var position = 1;
        var arguments = new ReadOnlyMemory<byte>[ReadNumber(frame, ref position)];
        for (var i = 0; i < arguments.Length; i++)
        {
            position++; // the '$'
            var length = ReadNumber(frame, ref position);
            arguments[i] = frame.AsMemory(position, length);
            position += length + 2;
        }

        return new RespRequest(arguments, isInline: false);
    }

    /// <summary>Splits an inline line, its LF included. Returns null if servers would read the line differently.</summary>
    internal static RespRequest? FromInline(ReadOnlySpan<byte> line)
    {
        // The line's length suffices: an argument is never longer than its written form.
        var lexer = new InlineLexer<InlineArgumentsSink>(new InlineArgumentsSink(new byte[line.Length]), quotesMayJoin: false);
        foreach (var value in line[..^1]) lexer.Add(value);
        return lexer.IsBalanced ? new RespRequest(lexer.Sink.ToArguments(), isInline: true) : null;
    }

    private static int ReadNumber(ReadOnlySpan<byte> frame, ref int position)
    {
        var value = 0;
        while (frame[position] != '\r') value = (value * 10) + (frame[position++] - '0');
        position += 2;
        return value;
    }
}
