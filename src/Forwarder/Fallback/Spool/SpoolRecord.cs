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

    /// <summary>A length above it is damage, not an entry: Redis' own limit of a key, and room for what else belongs to an event.</summary>
    public const int MaxPayload = (512 * 1024 * 1024) + (64 * 1024);

    public static void WriteHeader(ReadOnlySpan<byte> payload, Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Checksum(payload));
    }

    /// <summary>The payload's length by the header; -1 when it cannot be one.</summary>
    public static int LengthIn(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        return length <= MaxPayload ? (int)length : -1;
    }

    /// <summary>Whether the payload is the one that the header was written for.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) => LengthIn(header) == payload.Length && ChecksumIn(header) == Checksum(payload);

    public static uint ChecksumIn(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);

    public static uint BeginChecksum(int length) => BitOperations.Crc32C(uint.MaxValue, (uint)length);

    /// <summary>Goes on with the next piece of the payload; all pieces but the last have a multiple of 8 bytes.</summary>
    public static uint AddToChecksum(uint checksum, ReadOnlySpan<byte> piece)
    {
        while (piece.Length >= 8)
        {
            checksum = BitOperations.Crc32C(checksum, BinaryPrimitives.ReadUInt64LittleEndian(piece));
            piece = piece[8..];
        }

        foreach (var b in piece) checksum = BitOperations.Crc32C(checksum, b);

        return checksum;
    }

    public static uint EndChecksum(uint checksum) => ~checksum;

    private static uint Checksum(ReadOnlySpan<byte> payload) => EndChecksum(AddToChecksum(BeginChecksum(payload.Length), payload));
}
