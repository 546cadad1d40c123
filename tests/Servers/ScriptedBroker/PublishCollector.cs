// Which frames make one published message?
namespace KeyEvt.Servers;

/// <summary>
/// basic.publish, one header frame, body frames until the announced size is reached (AMQP 0-9-1, section 4.2.6). One channel publishes; delivery tags
/// count from confirm.select on.
/// </summary>
internal sealed class PublishCollector(int connection)
{
    private readonly MemoryStream _body = new();
    private string _exchange = "";
    private string _routingKey = "";
    private bool _mandatory;
    private byte[] _header = [];
    private string? _messageId;
    private ulong _bodySize;
    private ulong _tag;

    public ushort Channel { get; private set; }

    public void StartCounting(ushort channel) => (Channel, _tag) = (channel, 0);

    public void Begin(ref AmqpReader fields, ushort channel)
    {
        if (channel != Channel) throw new InvalidDataException($"a publish on channel {channel}, which has no confirms");

        fields.Short();
        (_exchange, _routingKey, _mandatory) = (fields.ShortString(), fields.ShortString(), (fields.Octet() & 1) != 0);
        _body.SetLength(0);
    }

    /// <summary>The message, when this header or body frame completes it.</summary>
    public PublishedMessage? Take(AmqpFrame frame)
    {
        switch (frame.Type)
        {
            case AmqpFrame.Header:
                _header = frame.Payload;
                ReadHeader();
                break;
            case AmqpFrame.Body:
                _body.Write(frame.Payload);
                break;
            default:
                return null; // heartbeat
        }

        return (ulong)_body.Length < _bodySize
            ? null
            : new PublishedMessage(connection, Channel, ++_tag, _exchange, _routingKey, _mandatory, _messageId, _header, _body.ToArray());
    }

    private void ReadHeader()
    {
        var fields = new AmqpReader(_header);
        fields.Short(); // class
        fields.Short(); // weight
        _bodySize = fields.LongLong();
        var present = fields.Short(); // one bit a property, the first one highest

        bool Has(int bit) => (present & (1 << bit)) != 0;
        if (Has(15)) fields.ShortString(); // content-type
        if (Has(14)) fields.ShortString(); // content-encoding
        if (Has(13)) fields.Block(); // headers
        if (Has(12)) fields.Octet(); // delivery-mode
        if (Has(11)) fields.Octet(); // priority
        if (Has(10)) fields.ShortString(); // correlation-id
        if (Has(9)) fields.ShortString(); // reply-to
        if (Has(8)) fields.ShortString(); // expiration
        _messageId = Has(7) ? fields.ShortString() : null;
    }
}
