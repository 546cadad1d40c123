using System.Buffers.Binary;
using System.Numerics;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// How is one entry written to the spool? <c>length:u32 checksum:u32 payload</c>, little endian; the checksum is CRC-32C over length and
/// payload, so that a torn or damaged record is told from a whole one.
/// </summary>
internal static class SpoolRecord
{
    public const int HeaderBytes = 8;

    /// <summary>A length above it is damage, not an entry: Redis' own limit of a key.</summary>
    public const int MaxPayload = 512 * 1024 * 1024;

    public static void Write(ReadOnlySpan<byte> payload, Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Checksum(payload));
        payload.CopyTo(to[HeaderBytes..]);
    }

    /// <summary>The payload's length when <paramref name="from"/> begins with a whole, undamaged record; -1 otherwise.</summary>
    public static int Read(ReadOnlySpan<byte> from)
    {
        if (from.Length < HeaderBytes)
            return -1;

        var length = BinaryPrimitives.ReadUInt32LittleEndian(from);
        if (length > MaxPayload || length > from.Length - HeaderBytes)
            return -1;

        return BinaryPrimitives.ReadUInt32LittleEndian(from[4..]) == Checksum(from.Slice(HeaderBytes, (int)length)) ? (int)length : -1;
    }

    private static uint Checksum(ReadOnlySpan<byte> payload)
    {
        var crc = BitOperations.Crc32C(uint.MaxValue, (uint)payload.Length);
        while (payload.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(payload));
            payload = payload[8..];
        }

        foreach (var b in payload)
            crc = BitOperations.Crc32C(crc, b);

        return ~crc;
    }
}
