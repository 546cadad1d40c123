// How are the fields of an AMQP method put into bytes?
using System.Buffers.Binary;
using System.Text;

namespace KeyEvt.Servers;

/// <summary>One method frame in the making; the fields follow in the order of the method's definition.</summary>
internal sealed class AmqpWriter
{
    private readonly MemoryStream _bytes = new();

    public AmqpWriter(AmqpMethod method) => Long((uint)method);

    private AmqpWriter()
    {
    }

    public AmqpWriter Octet(byte value)
    {
        _bytes.WriteByte(value);
        return this;
    }

    public AmqpWriter Short(ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        _bytes.Write(bytes);
        return this;
    }

    public AmqpWriter Long(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _bytes.Write(bytes);
        return this;
    }

    public AmqpWriter LongLong(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        _bytes.Write(bytes);
        return this;
    }

    /// <summary>At most 255 bytes.</summary>
    public AmqpWriter ShortString(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        Octet(checked((byte)bytes.Length));
        _bytes.Write(bytes);
        return this;
    }

    public AmqpWriter LongString(string value) => Block(Encoding.UTF8.GetBytes(value));

    /// <summary>The server-properties of a broker that can confirm, refuse (nack) and tell that it is blocked.</summary>
    public AmqpWriter ServerProperties()
    {
        var capabilities = new AmqpWriter();
        foreach (var name in new[] { "publisher_confirms", "basic.nack", "connection.blocked", "consumer_cancel_notify", "authentication_failure_close" })
        {
            capabilities.ShortString(name).Octet((byte)'t').Octet(1);
        }

        var properties = new AmqpWriter();
        properties.ShortString("product").Octet((byte)'S').LongString("scripted broker");
        properties.ShortString("capabilities").Octet((byte)'F').Block(capabilities._bytes.ToArray());
        return Block(properties._bytes.ToArray());
    }

    public AmqpFrame ToFrame(ushort channel) => new(AmqpFrame.Method, channel, _bytes.ToArray());

    private AmqpWriter Block(byte[] bytes)
    {
        Long((uint)bytes.Length);
        _bytes.Write(bytes);
        return this;
    }
}
