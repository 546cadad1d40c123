// Does a whole argument lie at this position of the span, and where does it end?
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KeyEvt.Resp.Requests;

/// <summary>
/// The fast path for <c>$&lt;len&gt;\r\n&lt;bytes&gt;\r\n</c> when all of it lies in one span. It never reports an error. Whatever is not plainly a
/// whole argument is read again byte by byte, and that slower reading decides whether it is incomplete or wrong.
/// </summary>
internal static class ContiguousArgument
{
    /// <summary>Bytes of the shortest argument, "$0\r\n\r\n".</summary>
    private const int ShortestArgument = 6;

    /// <summary>Length lines with more digits are read byte by byte. Next to a body of that size the cost does not matter.</summary>
    private const int MaxLengthDigits = 7;

    private const uint OneDigitShape = '$' | ('\r' << 16) | ('\n' << 24);
    private const uint OneDigitMask = 0xffff00ff;
    private const uint TwoDigitShape = '$' | ('\r' << 24);
    private const uint TwoDigitMask = 0xff0000ff;

    /// <summary>Returns the index behind the argument that begins at <paramref name="position"/>, or -1 when the fast path cannot read it.</summary>
    /// <param name="span">The bytes.</param>
    /// <param name="position">Where the argument begins; at most the span's length.</param>
    /// <param name="maxLength">Longer bodies return -1.</param>
    /// <param name="body">The index of the body's first byte; valid only if the result is not -1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Skip(ReadOnlySpan<byte> span, int position, int maxLength, out int body)
    {
        ref var bytes = ref MemoryMarshal.GetReference(span);
        var end = span.Length;
        body = 0;
        if (end - position < ShortestArgument) return -1;

        int length;
        var head = RespTokens.Read4(ref bytes, position);
        if ((head & TwoDigitMask) == TwoDigitShape && Unsafe.Add(ref bytes, position + 4) == '\n')
        {
            var tens = Unsafe.Add(ref bytes, position + 1) - (uint)'1';
            var ones = Unsafe.Add(ref bytes, position + 2) - (uint)'0';
            if (tens > 8 || ones > 9) return -1;
            length = (int)((tens * 10) + 10 + ones);
            body = position + 5;
        }
        else if ((head & OneDigitMask) == OneDigitShape)
        {
            length = (int)(Unsafe.Add(ref bytes, position + 1) - (uint)'0');
            if ((uint)length > 9) return -1;
            body = position + 4;
        }
        else
        {
            length = ReadLongLength(ref bytes, position, end, out body);
            if (length < 0) return -1;
        }

        if (length > maxLength || length > end - 2 - body) return -1;
        var behindBody = body + length;
        return RespTokens.Read2(ref bytes, behindBody) == RespTokens.Crlf ? behindBody + 2 : -1;
    }

    /// <summary>Reads a length of three digits or more. Returns -1 when it is not plainly one.</summary>
    private static int ReadLongLength(ref byte bytes, int position, int end, out int body)
    {
        body = 0;
        if (Unsafe.Add(ref bytes, position) != '$') return -1;
        var length = Unsafe.Add(ref bytes, position + 1) - '0';
        if (length is < 1 or > 9) return -1;

        var last = Math.Min(position + 1 + MaxLengthDigits, end - 2);
        for (var i = position + 2; i <= last; i++)
        {
            var digit = Unsafe.Add(ref bytes, i) - (uint)'0';
            if (digit > 9)
            {
                if (RespTokens.Read2(ref bytes, i) != RespTokens.Crlf) return -1;
                body = i + 2;
                return length;
            }

            length = (length * 10) + (int)digit;
        }

        return -1;
    }
}
