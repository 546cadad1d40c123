// Which fields does an AMQP frame hold?
using System.Buffers.Binary;
using System.Text;

namespace KeyEvt.Servers;

/// <summary>Takes the fields of a payload one after the other; past its end it throws.</summary>
internal ref struct AmqpReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> _rest = payload;

    public byte Octet() => Take(1)[0];

    public ushort Short() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint Long() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong LongLong() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    public AmqpMethod Method() => (AmqpMethod)Long();

    public string ShortString() => Encoding.UTF8.GetString(Take(Octet()));

    /// <summary>A long string, or a table as it stands.</summary>
    public ReadOnlySpan<byte> Block() => Take((int)Long());

    private ReadOnlySpan<byte> Take(int count)
    {
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
