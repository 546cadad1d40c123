using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using RabbitMQ.Client;

namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>
/// What does an event look like as an AMQP message (docs/messages.md)? In the form of <see cref="MessageFormat"/>, with delivery mode, message id and
/// timestamp. One set of properties and one buffer are reused for all messages: the library copies both into its frame before the publish call
/// returns.
/// </summary>
internal sealed class MessageComposer
{
    private readonly TimeProvider _time;
    private readonly ArrayBufferWriter<byte> _buffer = new(256);
    private readonly Utf8JsonWriter _json;
    private readonly CloudEventHeaders _cloudEvent = new();
    private readonly ReusedText _messageIds = new();
    private BasicProperties _properties = new();
    private MessageRoute? _route;

    /// <param name="time">Gives the current time for events whose own time is not known.</param>
    public MessageComposer(TimeProvider time) => (_time, _json) = (time, new Utf8JsonWriter(_buffer));

    public CachedString Exchange { get; private set; } = new("");

    public CachedString RoutingKey { get; private set; } = new("");

    public BasicProperties Properties => _properties;

    public ReadOnlyMemory<byte> Body { get; private set; }

    public void Compose(in LogEntry entry, MessageRoute route, ReadOnlyMemory<byte> messageId)
    {
        if (!ReferenceEquals(route, _route)) Take(route);

        RoutingKey = route.IsGap ? route.Keys.Resolve(default) : route.Keys.Resolve(entry.Body.Span, entry.Class);
        _properties.MessageId = _messageIds.Write(messageId.Span);
        var milliseconds = TimeOf(entry, messageId.Span);
        _properties.Timestamp = new AmqpTimestamp(milliseconds / 1000);
        Body = route.Format switch
        {
            _ when route.IsGap => entry.Body,
            MessageFormat.Json => WriteJson(entry, messageId.Span, milliseconds, isWhole: true),
            MessageFormat.CloudEvents => WriteCloudEvent(entry, messageId.Span, milliseconds),
            _ => entry.Body,
        };
    }

    private void Take(MessageRoute route)
    {
        _route = route;
        Exchange = new CachedString(route.Exchange);
        _properties = new BasicProperties
        {
            ContentType = route is { Format: MessageFormat.Text, IsGap: false } ? "text/plain" : "application/json",
            DeliveryMode = (DeliveryModes)route.DeliveryMode,
        };
        if (route is { Format: MessageFormat.CloudEvents, IsGap: false }) _properties.Headers = _cloudEvent.Headers;
    }

    /// <summary>
    /// When the event was read. An event from the fallback storage has no time of its own, so the time in its message id is used: the marker begins
    /// with it. For a plain body no time is known, so the time of sending is used.
    /// </summary>
    private long TimeOf(in LogEntry entry, ReadOnlySpan<byte> messageId)
    {
        if (entry.UnixMilliseconds != 0) return entry.UnixMilliseconds;

        return EventMessageId.TryReadMarker(messageId, out var marker) ? EventPosition.MarkerMilliseconds(marker) : _time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    private ReadOnlyMemory<byte> WriteJson(in LogEntry entry, ReadOnlySpan<byte> messageId, long milliseconds, bool isWhole)
    {
        var body = EventBody.Parse(entry.Body.Span);
        _buffer.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        if (Utf8Parser.TryParse(body.Database, out int database, out _)) _json.WriteNumber("db"u8, database);

        WriteText("event"u8, "event_base64"u8, body.Event);
        WriteText("key"u8, "key_base64"u8, body.Key);
        WriteFields(entry.Fields.Span);
        if (isWhole)
        {
            _json.WriteString("node"u8, EventMessageId.NodeOf(messageId));
            _json.WriteString("time"u8, Rfc3339.Format(milliseconds));
            _json.WriteString("id"u8, _properties.MessageId);
        }

        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenMemory;
    }

    /// <summary>Writes the attributes as headers. The data is the event itself.</summary>
    private ReadOnlyMemory<byte> WriteCloudEvent(in LogEntry entry, ReadOnlySpan<byte> messageId, long milliseconds)
    {
        _cloudEvent.Fill(EventBody.Parse(entry.Body.Span), _properties.MessageId!, EventMessageId.NodeOf(messageId), milliseconds);
        return WriteJson(entry, messageId, milliseconds, isWhole: false);
    }

    /// <summary>Writes all fields as text, or all as base64 if one of them is not UTF-8.</summary>
    private void WriteFields(ReadOnlySpan<byte> list)
    {
        if (list.IsEmpty) return;

        var isText = true;
        foreach (var field in new FieldList(list)) isText &= Utf8.IsValid(field);

        _json.WriteStartArray(isText ? "fields"u8 : "fields_base64"u8);
        foreach (var field in new FieldList(list))
        {
            if (isText) _json.WriteStringValue(field);
            else _json.WriteBase64StringValue(field);
        }

        _json.WriteEndArray();
    }

    private void WriteText(ReadOnlySpan<byte> name, ReadOnlySpan<byte> nameOfBase64, ReadOnlySpan<byte> value)
    {
        if (Utf8.IsValid(value)) _json.WriteString(name, value);
        else _json.WriteBase64String(nameOfBase64, value);
    }
}
