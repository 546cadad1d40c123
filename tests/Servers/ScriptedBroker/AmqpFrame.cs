// What is one frame of AMQP 0-9-1 on the wire?
using System.Buffers.Binary;

namespace KeyEvt.Servers;

/// <summary>AMQP 0-9-1, section 4.2.3: type (1), channel (2), size (4), payload, the octet CE.</summary>
internal readonly record struct AmqpFrame(byte Type, ushort Channel, byte[] Payload)
{
    public const byte Method = 1;
    public const byte Header = 2;
    public const byte Body = 3;
    public const byte Heartbeat = 8;
    public const int Overhead = 8;

    private const byte End = 0xCE;

    /// <summary>Its length on the wire, which is what frame-max limits.</summary>
    public int Length => Payload.Length + Overhead;

    /// <summary>Null where the peer has ended the stream before a frame.</summary>
    public static async Task<AmqpFrame?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new byte[7];
        if (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < head.Length)
        {
            return null;
        }

        var rest = new byte[BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(3)) + 1];
        await stream.ReadExactlyAsync(rest, cancellationToken).ConfigureAwait(false);
        if (rest[^1] != End) throw new InvalidDataException($"a frame of type {head[0]} does not end with CE");

        return new AmqpFrame(head[0], BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(1)), rest[..^1]);
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[Length];
        bytes[0] = Type;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(1), Channel);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(3), Payload.Length);
        Payload.CopyTo(bytes, 7);
        bytes[^1] = End;
        return bytes;
    }
}
