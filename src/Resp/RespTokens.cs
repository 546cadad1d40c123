// Which bytes lie here, read four or two at a time?
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace KeyEvt.Resp;

/// <summary>Unchecked reads of several bytes as one number, the first byte lowest, so that a shape is compared in one instruction.</summary>
internal static class RespTokens
{
    public const ushort Crlf = '\r' | ('\n' << 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read4(ref byte bytes, int index)
    {
        var word = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref bytes, index));
        return BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Read2(ref byte bytes, int index)
    {
        var word = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref bytes, index));
        return BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
    }
}
