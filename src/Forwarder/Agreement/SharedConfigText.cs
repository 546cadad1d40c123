using System.Buffers;
using System.Text;
using System.Text.Json;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Files;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>How is the configuration of a group written, in Redis and in the messages of the group? As JSON in ASCII, and without spaces.</summary>
/// <remarks>
/// Bytes of masks are written as the characters with these numbers. The password of the broker stands there only if a command has given it, and encrypted.
/// Else each member uses its own, if it is for the same login. Fields that are not known are left out, so that a later program can say more.
/// </remarks>
internal static class SharedConfigText
{
    /// <param name="secrets">What a password is encrypted with; null: the broker is not part of the configuration, and each member keeps its own.</param>
    /// <param name="own">The options of this program.</param>
    public static string Write(SharedConfig shared, SecretBox? secrets, ForwarderConfig? own = null)
    {
        var bytes = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("version", shared.Version);
            json.WriteString("options", shared.Options);
            json.WriteString("by", shared.By);
            if (secrets is not null || own is null) WriteBroker(json, shared.Config.Amqp, secrets, own);
            WriteRest(json, shared.Config);
            json.WriteEndObject();
        }

        return Encoding.ASCII.GetString(bytes.WrittenSpan).Replace(" ", "\\u0020", StringComparison.Ordinal);
    }

    /// <param name="own">The options of this program: they decide what is not in the text.</param>
    /// <returns>Null if the text cannot be read.</returns>
    public static SharedConfig? Read(string text, SecretBox? secrets, ForwarderConfig own)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            var config = ReadRest(root, own);
            if (secrets is not null && root.TryGetProperty("amqp", out var broker))
            {
                config = config with { Amqp = ReadBroker(broker, secrets, own) };
            }

            return new SharedConfig(root.GetProperty("version").GetInt64(), Text(root, "options"), Text(root, "by"), config);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }

    private static void WriteBroker(Utf8JsonWriter json, AmqpSettings broker, SecretBox? secrets, ForwarderConfig? own)
    {
        json.WriteStartObject("amqp");
        json.WriteString("host", broker.Host);
        json.WriteNumber("port", broker.Port);
        json.WriteString("user", broker.User);
        json.WriteString("vhost", broker.VirtualHost);
        json.WriteNumber("heartbeat", broker.HeartbeatSeconds);
        json.WriteBoolean("tls", broker.Tls);
        if (secrets is not null && !broker.Password.Equals(OwnPassword(broker, own!)))
        {
            json.WriteString("password", secrets.Close(broker.Password));
        }

        json.WriteEndObject();
    }

    private static AmqpSettings ReadBroker(JsonElement json, SecretBox secrets, ForwarderConfig own)
    {
        var broker = new AmqpSettings
        {
            Host = Text(json, "host"),
            Port = json.GetProperty("port").GetInt32(),
            User = Text(json, "user"),
            VirtualHost = Text(json, "vhost"),
            HeartbeatSeconds = json.GetProperty("heartbeat").GetInt32(),
            Tls = json.GetProperty("tls").GetBoolean(),
        };
        var password = json.TryGetProperty("password", out var closed)
            ? secrets.TryOpen(Text(closed)) ?? throw new FormatException("the password cannot be decrypted")
            : OwnPassword(broker, own);
        return broker with { Password = password };
    }

    private static Secret OwnPassword(AmqpSettings broker, ForwarderConfig own) => broker.IsSameLogin(own.Amqp) ? own.Amqp.Password : Secret.None;

    private static void WriteRest(Utf8JsonWriter json, ForwarderConfig config)
    {
        json.WriteString("exchange", config.Exchange);
        json.WriteString("routing_key", config.RoutingKey);
        json.WriteString("format", config.Format.ToString());
        json.WriteNumber("delivery_mode", config.DeliveryMode);
        json.WriteNumber("fallback_storage_size", config.FallbackStorageSize);
        json.WriteString("events", NotifyFlags.List(config.Events));
        json.WriteStartArray("masks");
        foreach (var mask in config.Masks.Masks) json.WriteStringValue(Encoding.Latin1.GetString(mask.Bytes.Span));
        json.WriteEndArray();
        json.WriteStartArray("rules");
        foreach (var rule in config.Rules.Rules) json.WriteStringValue(rule.ToString());
        json.WriteEndArray();
        json.WriteString("declare_queue", config.DeclareQueue);
        json.WriteString("declare_queue_type", config.DeclareQueueType?.ToString());
        json.WriteBoolean("stopped", config.IsStopped);
    }

    private static ForwarderConfig ReadRest(JsonElement json, ForwarderConfig own) => own with
    {
        Exchange = Text(json, "exchange"),
        RoutingKey = Text(json, "routing_key"),
        Format = NamedValue<MessageFormat>(json.GetProperty("format")),
        DeliveryMode = json.GetProperty("delivery_mode").GetInt32(),
        FallbackStorageSize = json.GetProperty("fallback_storage_size").GetInt64(),
        Events = NotifyFlags.ClassesOf(Text(json, "events"), EventClass.All),
        Masks = KeyMaskSet.Empty.Add(Texts(json.GetProperty("masks")).Select(mask => KeyMask.Parse(Encoding.Latin1.GetBytes(mask)))),
        Rules = new RuleSet(Texts(json.GetProperty("rules")).Select(RuleOf)),
        DeclareQueue = json.GetProperty("declare_queue").GetString(),
        DeclareQueueType = json.GetProperty("declare_queue_type") is { ValueKind: JsonValueKind.String } type ? NamedValue<QueueType>(type) : null,
        IsStopped = json.GetProperty("stopped").GetBoolean(),
    };

    private static string Text(JsonElement json, string name) => Text(json.GetProperty(name));

    private static string Text(JsonElement json) => json.GetString() ?? throw new FormatException("null is no text");

    private static IEnumerable<string> Texts(JsonElement array) => array.EnumerateArray().Select(Text);

    private static EventRule RuleOf(string text) => EventRule.TryParse(text, out var rule, out var error) ? rule : throw new FormatException(error);

    private static T NamedValue<T>(JsonElement json)
        where T : struct, Enum => Enum.TryParse<T>(json.GetString(), out var value) && Enum.IsDefined(value) ? value : throw new FormatException($"no {typeof(T).Name}");
}
