using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using KeyEvt.Forwarder.Outbox;
using RabbitMQ.Client;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// What does an event look like as an AMQP message (DESIGN section 6)? In the shape of <see cref="MessageFormat"/>, with the delivery
/// mode, message id and timestamp. One set of properties and one buffer are filled again and again: the library copies both into its
/// frame before it returns.
/// </summary>
internal sealed class MessageComposer
{
    /// <summary>Headers must fit one frame, and a broker may tune frames down to 4,096 bytes: it would close the connection at a longer one, again and again.</summary>
    private const int LongestSubject = 2048;

    private readonly ArrayBufferWriter<byte> _buffer = new(256);
    private readonly Utf8JsonWriter _json;
    private readonly Dictionary<string, object?> _headers = [];
    private readonly ReusedText _messageIds = new();
    private BasicProperties _properties = new();
    private MessageRoute? _route;
    private RoutingKeyTemplate _routingKeys = new("");

    public MessageComposer() => _json = new Utf8JsonWriter(_buffer);

    public CachedString Exchange { get; private set; } = new("");

    public CachedString RoutingKey { get; private set; } = new("");

    public BasicProperties Properties => _properties;

    public ReadOnlyMemory<byte> Body { get; private set; }

    /// <summary>Routing keys cut at AMQP's 255 bytes, on this link.</summary>
    public long RoutingKeysCut => _routingKeys.Cut;

    public void Compose(in LogEntry entry, MessageRoute route, ReadOnlyMemory<byte> messageId)
    {
        if (!ReferenceEquals(route, _route))
            Take(route);

        RoutingKey = _routingKeys.Resolve(route.IsGap ? default : entry.Body.Span);
        _properties.MessageId = _messageIds.Write(messageId.Span);
        var milliseconds = TimeOf(entry, messageId.Span);
        _properties.Timestamp = new AmqpTimestamp(milliseconds / 1000);
        Body = route.Format switch
        {
            _ when route.IsGap => entry.Body,
            MessageFormat.Json => WriteJson(entry, milliseconds, isWhole: true),
            MessageFormat.CloudEvents => WriteCloudEvent(entry, milliseconds),
            _ => entry.Body,
        };
    }

    private void Take(MessageRoute route)
    {
        _route = route;
        Exchange = new CachedString(route.Exchange);
        _routingKeys = new RoutingKeyTemplate(route.RoutingKey);
        _properties = new BasicProperties
        {
            ContentType = route is { Format: MessageFormat.Text, IsGap: false } ? "text/plain" : "application/json",
            DeliveryMode = (DeliveryModes)route.DeliveryMode,
        };
        if (route is { Format: MessageFormat.CloudEvents, IsGap: false })
            _properties.Headers = _headers;
    }

    /// <summary>When the event was read. One that comes out of the fallback storage carries it in its id: the marker begins with the time. Of a plain body nothing is known but that it is sent now.</summary>
    private static long TimeOf(in LogEntry entry, ReadOnlySpan<byte> messageId)
    {
        if (entry.UnixMilliseconds != 0)
            return entry.UnixMilliseconds;

        return EventPosition.TryReadMarker(messageId, out var marker) ? EventPosition.MarkerMilliseconds(marker) : TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
    }

    private ReadOnlyMemory<byte> WriteJson(in LogEntry entry, long milliseconds, bool isWhole)
    {
        var body = EventBody.Parse(entry.Body.Span);
        _buffer.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        if (Utf8Parser.TryParse(body.Database, out int database, out _))
            _json.WriteNumber("db"u8, database);

        WriteText("event"u8, "event_base64"u8, body.Event);
        WriteText("key"u8, "key_base64"u8, body.Key);
        if (isWhole)
        {
            _json.WriteString("node"u8, NodeOf(_properties.MessageId!));
            _json.WriteString("time"u8, DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
            _json.WriteString("id"u8, _properties.MessageId);
        }

        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenMemory;
    }

    /// <summary>Attributes as headers named as Knative's RabbitMQ binding names them; the data is the event itself.</summary>
    private ReadOnlyMemory<byte> WriteCloudEvent(in LogEntry entry, long milliseconds)
    {
        var body = EventBody.Parse(entry.Body.Span);
        _headers["ce-specversion"] = "1.0";
        _headers["ce-id"] = _properties.MessageId;
        _headers["ce-source"] = $"/redis/{NodeOf(_properties.MessageId!)}/{Encoding.ASCII.GetString(body.Database)}";
        _headers["ce-type"] = "redis.keyspace." + Encoding.UTF8.GetString(body.Event);
        _headers["ce-time"] = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        if (body.Key.Length <= LongestSubject && Utf8.IsValid(body.Key))
            _headers["ce-subject"] = Encoding.UTF8.GetString(body.Key);
        else
            _headers.Remove("ce-subject");

        return WriteJson(entry, milliseconds, isWhole: false);
    }

    private void WriteText(ReadOnlySpan<byte> name, ReadOnlySpan<byte> nameOfBase64, ReadOnlySpan<byte> value)
    {
        if (Utf8.IsValid(value))
            _json.WriteString(name, value);
        else
            _json.WriteBase64String(nameOfBase64, value);
    }

    private static string NodeOf(string messageId) => messageId.Split('-')[0];
}
