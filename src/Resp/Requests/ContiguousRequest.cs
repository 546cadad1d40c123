// Does a request begin at this position of the span, and how many arguments has it?
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KeyEvt.Resp.Requests;

/// <summary>The fast path for <c>*&lt;count&gt;\r\n</c> and the name behind it; see <see cref="ContiguousArgument"/>.</summary>
internal static class ContiguousRequest
{
    /// <summary>The largest count that the fast path reads: two digits.</summary>
    public const int MaxArguments = 99;

    /// <summary>Bytes of the shortest request, "*1\r\n$0\r\n\r\n".</summary>
    private const int ShortestRequest = 10;

    private const uint OneDigitShape = '*' | ('\r' << 16) | ('\n' << 24);
    private const uint OneDigitMask = 0xffff00ff;
    private const uint TwoDigitShape = '*' | ('\r' << 24);
    private const uint TwoDigitMask = 0xff0000ff;
    private const uint Post = 'p' | ('o' << 8) | ('s' << 16) | ('t' << 24);
    private const uint Host = 'h' | ('o' << 8) | ('s' << 16) | ('t' << 24);

    /// <summary>
    /// Returns the index behind the count line that begins at <paramref name="position"/>, or -1. When it succeeds, at least 5 more bytes follow in
    /// the span.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SkipCount(ReadOnlySpan<byte> span, int position, out int count)
    {
        count = 0;
        if (span.Length - position < ShortestRequest) return -1;

        ref var bytes = ref Unsafe.Add(ref MemoryMarshal.GetReference(span), position);
        var head = RespTokens.Read4(ref bytes, 0);
        var first = Unsafe.Add(ref bytes, 1) - '1';
        if ((uint)first > 8) return -1;
        if ((head & OneDigitMask) == OneDigitShape)
        {
            count = first + 1;
            return position + 4;
        }

        var second = Unsafe.Add(ref bytes, 2) - '0';
        if ((head & TwoDigitMask) != TwoDigitShape || (uint)second > 9 || Unsafe.Add(ref bytes, 4) != '\n') return -1;
        count = ((first + 1) * 10) + second;
        return position + 5;
    }

    /// <summary>Whether the name at this index begins as POST or Host: do. The caller then has the name checked exactly, off the fast path.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool MayBeForeign(ReadOnlySpan<byte> span, int name, int nameLength)
    {
        if (nameLength < 4) return false;
        var lower = RespTokens.Read4(ref MemoryMarshal.GetReference(span), name) | 0x20202020;
        return lower is Post or Host;
    }
}
