// Is this text an integer as Redis writes it?
using System.Buffers.Text;

namespace KeyEvt.Resp;

/// <summary>Decimal integers in Redis' only valid form (<c>string2ll</c>): no plus sign, no leading zero, no blanks and no <c>-0</c>.</summary>
public static class RespIntegers
{
    /// <summary>Bytes of the longest 64-bit integer, its sign included.</summary>
    public const int MaxLength = 20;

    /// <summary>Reads the whole text as one number. Returns false if it is not a valid integer, or does not fit into 64 bits.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.IsEmpty || text.Length > MaxLength) return false;
        var first = text[0] == '-' && text.Length > 1 ? text[1] : text[0];
        if (first is < (byte)'0' or > (byte)'9') return false;
        if (first == '0' && text.Length > 1) return false;
        return Utf8Parser.TryParse(text, out value, out var used) && used == text.Length;
    }

    /// <summary>Writes the number and returns its length. The destination must have room for <see cref="MaxLength"/> bytes.</summary>
    public static int Format(long value, Span<byte> destination) =>
        Utf8Formatter.TryFormat(value, destination, out var written) ? written : throw new ArgumentException("too short", nameof(destination));
}
