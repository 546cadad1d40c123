using CsCheck;

namespace KeyEvt.Forwarder.Tests.Filter;

/// <summary>Random masks and keys, from so few letters that they often match.</summary>
internal static class MaskGen
{
    private static readonly byte[] KeyBytes = [.. "ab.*^$"u8, 0, 0xFF];

    /// <summary>Any string is a mask, most of all of metacharacters.</summary>
    public static readonly Gen<byte[]> Mask = OneOf([.. KeyBytes, .. "ab..***"u8]).Array[0, 10];

    public static readonly Gen<byte[]> Key = Gen.OneOf(OneOf(KeyBytes), OneOf([.. "ab"u8])).Array[0, 12];

    /// <summary>
    /// A key of a few hundred bytes and a mask made from a piece of it, some bytes given as "." or with a star added: places in several words, and
    /// runs of stars from one word into the next.
    /// </summary>
    public static readonly Gen<(byte[] Mask, byte[] Key)> Long =
        from key in OneOf([.. "aaab"u8]).Array[0, 300]
        from first in Gen.Int[0, key.Length]
        from length in Gen.Int[0, key.Length - first]
        from choices in Gen.Int[0, 19].Array[length]
        from bits in Gen.Int[0, 3]
        select (LongMask(key.AsSpan(first, length), choices, bits), key);

    private static Gen<byte> OneOf(byte[] bytes) => Gen.Int[0, bytes.Length - 1].Select(i => bytes[i]);

    private static byte[] LongMask(ReadOnlySpan<byte> piece, int[] choices, int anchors)
    {
        var mask = new List<byte>();
        if ((anchors & 1) != 0)
        {
            mask.Add((byte)'^');
        }

        for (var i = 0; i < piece.Length; i++)
        {
            switch (choices[i])
            {
                case 0: mask.Add((byte)'.'); break;
                case 1: mask.AddRange(".*"u8); break;
                case 2: mask.AddRange([piece[i], (byte)'*']); break;
                case < 8: mask.AddRange([.. "b*"u8, piece[i]]); break;
                case < 10: mask.AddRange([.. "a*c*"u8, piece[i]]); break;
                default: mask.Add(piece[i]); break;
            }
        }

        if ((anchors & 2) != 0)
        {
            mask.Add((byte)'$');
        }

        return [.. mask];
    }
}
