// How are two or four bytes read as one number?
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace KeyEvt.Resp;

/// <summary>
/// Reads several bytes as one number, the first byte lowest, so that a fixed byte pattern is compared in one instruction. Bounds are not checked: the
/// caller ensures that the bytes exist.
/// </summary>
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
