// What does one complete request say?
using System.Text;

namespace KeyEvt.Resp.Requests;

/// <summary>
/// One complete request that owns its bytes: it lives as long as its command runs, whatever happens to the buffers it came from.
/// Only requests that the proxy may answer itself become one.
/// </summary>
public sealed class RespRequest
{
    private readonly ReadOnlyMemory<byte>[] _arguments;

    /// <summary>A request of these arguments, the name first.</summary>
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

    /// <summary>Arguments, the name included; at least 1.</summary>
    public int Count => _arguments.Length;

    /// <summary>Whether it came as an inline line.</summary>
    public bool IsInline { get; }

    /// <summary>Argument <paramref name="index"/>; 0 is the name.</summary>
    public ReadOnlyMemory<byte> this[int index] => _arguments[index];

    /// <summary>Whether this is the command of that name, which is given in ASCII; case does not count.</summary>
    public bool NameIs(ReadOnlySpan<byte> upperCaseName) => Ascii.EqualsIgnoreCase(_arguments[0].Span, upperCaseName);

    /// <summary>Takes apart a multibulk request that the framer has already found valid; keeps the array.</summary>
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

    /// <summary>Takes apart an inline line, its LF included; null when not all servers would read it alike.</summary>
    internal static RespRequest? FromInline(ReadOnlySpan<byte> line)
    {
        // No argument is longer than what it was written as.
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
