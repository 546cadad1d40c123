using System.Text;
using KeyEvt.Forwarder.Outbox;
using RabbitMQ.Client;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// What does an event look like as an AMQP message (DESIGN section 6)? Body <c>&lt;db&gt;\n&lt;event&gt;\n&lt;key&gt;</c>, content type
/// text/plain, the delivery mode, message id and timestamp. One set of properties is filled again and again: the library copies
/// them into its frame before it returns.
/// </summary>
internal sealed class MessageComposer
{
    private readonly BasicProperties _properties = new() { ContentType = "text/plain" };
    private MessageRoute? _route;

    public CachedString Exchange { get; private set; } = new("");

    public CachedString RoutingKey { get; private set; } = new("");

    public BasicProperties Properties => _properties;

    public ReadOnlyMemory<byte> Body { get; private set; }

    public void Compose(in LogEntry entry, MessageRoute route, ReadOnlyMemory<byte> messageId)
    {
        if (!ReferenceEquals(route, _route))
        {
            _route = route;
            Exchange = new CachedString(route.Exchange);
            RoutingKey = new CachedString(route.RoutingKey);
            _properties.DeliveryMode = (DeliveryModes)route.DeliveryMode;
        }

        _properties.MessageId = Encoding.UTF8.GetString(messageId.Span);
        _properties.Timestamp = new AmqpTimestamp(entry.UnixMilliseconds / 1000);
        Body = entry.Body;
    }
}
