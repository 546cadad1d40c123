using System.Globalization;

namespace KeyEvt.Forwarder.Keys;

/// <summary>Which slot of a cluster does a key belong to, and which short tag in braces puts a key into a given slot?</summary>
/// <remarks>CRC16 in its XMODEM form (polynomial 0x1021, nothing reflected), modulo 16384: the cluster specification, "Key distribution model".</remarks>
internal static class SlotTag
{
    public const int Slots = 16384;

    private const int Polynomial = 0x1021;

    private static readonly ushort[] OfByte = [.. Enumerable.Range(0, 256).Select(OneByte)];

    private static readonly Lazy<int[]> Numbers = new(FindNumbers);

    /// <summary>Of a key, or of a channel, without braces.</summary>
    public static int SlotOf(ReadOnlySpan<byte> tag)
    {
        var crc = 0;
        foreach (var one in tag) crc = (ushort)(crc << 8) ^ OfByte[(crc >> 8) ^ one];
        return crc & (Slots - 1);
    }

    /// <summary>Of a key as Redis takes it: by what is between the first brace and the next one, where that is anything.</summary>
    public static int SlotOfKey(ReadOnlySpan<byte> key)
    {
        var open = key.IndexOf((byte)'{');
        var length = open < 0 ? -1 : key[(open + 1)..].IndexOf((byte)'}');
        return SlotOf(length > 0 ? key.Slice(open + 1, length) : key);
    }

    /// <summary>The smallest decimal number in that slot, always the same.</summary>
    public static string Of(int slot) => Numbers.Value[slot].ToString(CultureInfo.InvariantCulture);

    private static ushort OneByte(int value)
    {
        var crc = value << 8;
        for (var bit = 0; bit < 8; bit++) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ Polynomial : crc << 1;
        return (ushort)crc;
    }

    /// <summary>All at once: one number after the other until every slot has one, which some 170,000 do.</summary>
    private static int[] FindNumbers()
    {
        var numbers = new int[Slots];
        Array.Fill(numbers, -1);
        Span<byte> digits = stackalloc byte[16];
        for (int number = 0, missing = Slots; missing > 0; number++)
        {
            number.TryFormat(digits, out var length, default, CultureInfo.InvariantCulture);
            var slot = SlotOf(digits[..length]);
            if (numbers[slot] >= 0) continue;

            numbers[slot] = number;
            missing--;
        }

        return numbers;
    }
}
