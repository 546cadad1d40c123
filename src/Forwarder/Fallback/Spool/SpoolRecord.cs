using System.Buffers.Binary;
using System.Numerics;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// How is one entry written to the spool? <c>length:u32 checksum:u32 payload</c>, little endian. The checksum is CRC-32C over length and payload, so
/// that a torn or damaged record is recognised.
/// </summary>
internal static class SpoolRecord
{
    public const int HeaderBytes = 8;

    /// <summary>A larger length means damage. The limit is Redis' own for a key, plus room for the other parts of an event.</summary>
    public const int MaxPayload = (512 * 1024 * 1024) + (64 * 1024);

    public static void WriteHeader(ReadOnlySpan<byte> payload, Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Checksum(payload));
    }

    /// <summary>The payload's length in the header; -1 if it exceeds <see cref="MaxPayload"/>.</summary>
    public static int LengthIn(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        return length <= MaxPayload ? (int)length : -1;
    }

    /// <summary>Whether the header's length and checksum match the payload.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) => LengthIn(header) == payload.Length && ChecksumIn(header) == Checksum(payload);

    public static uint ChecksumIn(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);

    public static uint BeginChecksum(int length) => BitOperations.Crc32C(uint.MaxValue, (uint)length);

    /// <summary>Adds the next piece of the payload. The length of each piece but the last must be a multiple of 8 bytes.</summary>
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
