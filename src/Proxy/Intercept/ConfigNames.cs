using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Proxy.Intercept;

/// <summary>Under which names does config_get show the configuration? It never shows the password, only whether there is one.</summary>
internal static class ConfigNames
{
    public static IEnumerable<(string Name, ReadOnlyMemory<byte> Value)> Read(ForwarderConfig config)
    {
        yield return ("host", Text(config.Amqp.Host));
        yield return ("port", Number(config.Amqp.Port));
        yield return ("username", Text(config.Amqp.User));
        yield return ("password_set", YesNo(config.Amqp.Password.Value.Length > 0));
        yield return ("vhost", Text(config.Amqp.VirtualHost));
        yield return ("tls", YesNo(config.Amqp.Tls));
        yield return ("heartbeat", Number(config.Amqp.HeartbeatSeconds));
        yield return ("exchange", Text(config.Exchange));
        yield return ("routing_key", Text(config.RoutingKey));
        yield return ("delivery_mode", Number(config.DeliveryMode));
        yield return ("fallback_storage_size", Number(config.FallbackStorageSize));
        yield return ("keymask", Masks(config));
        yield return ("events", Text(NotifyFlags.Format(config.Events)));
        yield return ("rules", Encoding.Latin1.GetBytes(string.Join("; ", config.Rules.Rules)));
        yield return ("format", Text(config.Format.ToString().ToLowerInvariant()));
        yield return ("declare_queue", Text(config.DeclareQueue ?? ""));
        yield return ("amqp_hosts", Text(string.Join(' ', config.AmqpHosts)));
    }

    private static ReadOnlyMemory<byte> Masks(ForwarderConfig config)
    {
        if (config.Masks.IsAll) return "ALL"u8.ToArray();
        var joined = new List<byte>();
        foreach (var mask in config.Masks.Masks)
        {
            if (joined.Count > 0) joined.Add((byte)' ');
            joined.AddRange(mask.Bytes.Span);
        }

        return joined.ToArray();
    }

    private static ReadOnlyMemory<byte> Text(string value) => Encoding.UTF8.GetBytes(value);

    private static ReadOnlyMemory<byte> Number(long value) => Text(value.ToString(CultureInfo.InvariantCulture));

    private static ReadOnlyMemory<byte> YesNo(bool value) => value ? "yes"u8.ToArray() : "no"u8.ToArray();
}
