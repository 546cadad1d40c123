using KeyEvt.Forwarder.Config;

namespace KeyEvt.Proxy.Options;

/// <summary>
/// What does <c>amqp://[user[:password]@]host[:port][/vhost]</c> say (https://www.rabbitmq.com/docs/uri-spec)? One difference: an empty path means the vhost
/// <c>/</c>, as people expect, and not the vhost without a name.
/// </summary>
internal static class AmqpUri
{
    /// <summary>Puts the parts into the settings. If the URI names no user, it is guest with password guest. If it names no port, it is the scheme's.</summary>
    public static AmqpSettings? Parse(string text, AmqpSettings into, out string fault)
    {
        var uri = ConnectionUri.Parse(text, out fault);
        if (uri is null) return null;
        if (uri.Scheme is not ("amqp" or "amqps")) return Wrong("must begin with amqp:// or amqps://", out fault);
        if (uri.User?.Length == 0) return Wrong("must not have an empty user", out fault);
        var tls = uri.Scheme == "amqps";
        return into with
        {
            Host = uri.Host,
            Port = uri.Port ?? (tls ? AmqpSettings.TlsPort : AmqpSettings.PlainPort),
            User = uri.User ?? AmqpSettings.Guest,
            Password = uri.Password ?? (uri.User is null ? AmqpSettings.Guest : ""),
            VirtualHost = string.IsNullOrEmpty(uri.Path) ? "/" : uri.Path,
            Tls = tls,
        };
    }

    private static AmqpSettings? Wrong(string text, out string fault)
    {
        fault = text;
        return null;
    }
}
