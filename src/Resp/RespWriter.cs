// How is a command or a reply written?
using System.Buffers;
using System.Text;

namespace KeyEvt.Resp;

/// <summary>
/// Writes commands and replies into a buffer. A <see cref="string"/> is written as UTF-8. CR, LF and NUL in a reply line are replaced by blanks, so
/// no text can end its line early.
/// </summary>
public static class RespWriter
{
    /// <summary>Bytes of the longest header: the type byte, a number and CRLF.</summary>
    private const int MaxHeader = 1 + RespIntegers.MaxLength + 2;

    private static readonly SearchValues<byte> LineBreakers = SearchValues.Create("\r\n\0"u8);

    /// <summary>A command without arguments.</summary>
    public static void WriteCommand(IBufferWriter<byte> writer, ReadOnlySpan<byte> name)
    {
        ArrayHeader(writer, 1);
        Bulk(writer, name);
    }

    /// <summary>A command with one argument.</summary>
    public static void WriteCommand(IBufferWriter<byte> writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> first)
    {
        ArrayHeader(writer, 2);
        Bulk(writer, name);
        Bulk(writer, first);
    }

    /// <summary>A command with two arguments.</summary>
    public static void WriteCommand(IBufferWriter<byte> writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        ArrayHeader(writer, 3);
        Bulk(writer, name);
        Bulk(writer, first);
        Bulk(writer, second);
    }

    /// <summary>A command with three arguments.</summary>
    public static void WriteCommand(
        IBufferWriter<byte> writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        ArrayHeader(writer, 4);
        Bulk(writer, name);
        Bulk(writer, first);
        Bulk(writer, second);
        Bulk(writer, third);
    }

    /// <summary>A command of any number of arguments, the name first.</summary>
    public static void WriteCommand(IBufferWriter<byte> writer, params ReadOnlySpan<ReadOnlyMemory<byte>> arguments)
    {
        ArrayHeader(writer, arguments.Length);
        foreach (var argument in arguments) Bulk(writer, argument.Span);
    }

    /// <summary>A command of any number of arguments, the name first.</summary>
    public static void WriteCommand(IBufferWriter<byte> writer, params ReadOnlySpan<string> arguments)
    {
        ArrayHeader(writer, arguments.Length);
        foreach (var argument in arguments) Bulk(writer, argument);
    }

    /// <summary><c>+text</c>.</summary>
    public static void SimpleString(IBufferWriter<byte> writer, ReadOnlySpan<byte> text) => Line(writer, (byte)'+', text);

    /// <summary><c>+text</c>.</summary>
    public static void SimpleString(IBufferWriter<byte> writer, string text) => Line(writer, (byte)'+', Encoding.UTF8.GetBytes(text));

    /// <summary><c>-text</c>; the text begins with its code, such as <c>ERR</c>.</summary>
    public static void Error(IBufferWriter<byte> writer, ReadOnlySpan<byte> text) => Line(writer, (byte)'-', text);

    /// <summary><c>-text</c>; the text begins with its code, such as <c>ERR</c>.</summary>
    public static void Error(IBufferWriter<byte> writer, string text) => Line(writer, (byte)'-', Encoding.UTF8.GetBytes(text));

    /// <summary><c>:value</c>.</summary>
    public static void Integer(IBufferWriter<byte> writer, long value) => Header(writer, (byte)':', value);

    /// <summary><c>$length</c> and the bytes.</summary>
    public static void Bulk(IBufferWriter<byte> writer, ReadOnlySpan<byte> bytes)
    {
        Header(writer, (byte)'$', bytes.Length);
        writer.Write(bytes);
        writer.Write("\r\n"u8);
    }

    /// <summary><c>$length</c> and the text's UTF-8 bytes.</summary>
    public static void Bulk(IBufferWriter<byte> writer, string text)
    {
        Header(writer, (byte)'$', Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, writer);
        writer.Write("\r\n"u8);
    }

    /// <summary><c>$-1</c>: no value, for a client that speaks RESP2.</summary>
    public static void NullBulk(IBufferWriter<byte> writer) => writer.Write("$-1\r\n"u8);

    /// <summary><c>_</c>: no value, for a client that speaks RESP3.</summary>
    public static void Null(IBufferWriter<byte> writer) => writer.Write("_\r\n"u8);

    /// <summary><c>*count</c>; that many elements follow.</summary>
    public static void ArrayHeader(IBufferWriter<byte> writer, int count) => Header(writer, (byte)'*', count);

    /// <summary><c>%pairs</c>, RESP3: that many keys follow, each with its value. RESP2 sends an array of twice as many elements instead.</summary>
    public static void MapHeader(IBufferWriter<byte> writer, int pairs) => Header(writer, (byte)'%', pairs);

    private static void Header(IBufferWriter<byte> writer, byte type, long number)
    {
        var span = writer.GetSpan(MaxHeader);
        span[0] = type;
        var end = 1 + RespIntegers.Format(number, span[1..]);
        span[end] = (byte)'\r';
        span[end + 1] = (byte)'\n';
        writer.Advance(end + 2);
    }

    private static void Line(IBufferWriter<byte> writer, byte type, ReadOnlySpan<byte> text)
    {
        var span = writer.GetSpan(text.Length + 3);
        span[0] = type;
        var line = span.Slice(1, text.Length);
        text.CopyTo(line);
        line.ReplaceAny(LineBreakers, (byte)' ');
        span[text.Length + 1] = (byte)'\r';
        span[text.Length + 2] = (byte)'\n';
        writer.Advance(text.Length + 3);
    }
}
