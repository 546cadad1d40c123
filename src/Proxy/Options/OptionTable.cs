using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Parameters;
using KeyEvt.Proxy.Text;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Posix;
using KeyEvt.Proxy.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Options;

/// <summary>Which options are there? The only place that declares them.</summary>
internal static class OptionTable
{
    /// <summary>Names a file of options. It is read before all others, and is not in the list of what such a file may contain.</summary>
    public static readonly OptionSpec Config = new(OptionGroup.Program, "config", "file", null, "A JSON file of options: an object whose names are those of the options, without the dashes.", (o, _) => o);

    /// <summary>Replaces defaults, so it is applied before everything that is given by name.</summary>
    public static readonly OptionSpec LoadModule = new(
        OptionGroup.Program, "loadmodule", "line", null,
        "The load line of the replaced module as one value, or its beginning: \"flags host port user password heartbeat exchange routing_key delivery_mode fallback_storage_size keymask...\". Options given by name win over it.",
        (o, v) => LoadModuleArguments.ParseLine(v) is { } load ? o with { Forwarding = load.ApplyTo(o.Forwarding) } : o);

    public static readonly IReadOnlyList<OptionSpec> All =
    [
        new(OptionGroup.Clients, "listen", "address", "127.0.0.1:6380", "Where clients connect: host:port, unix:/path, or rediss://host:port for TLS.",
            (o, v) => ReadAll(v, EndPointText.ParseListen) is { } listen ? o with { Listen = listen } : o) { Repeatable = true },
        new(OptionGroup.Clients, "unix-socket-permissions", "mode", null, "Who may use the sockets of --listen unix: and --admin unix:, in octal as chmod takes it, such as 770.", ReadSocketMode) { DefaultShown = "by the umask" },
        new(OptionGroup.Clients, "admin-users", "user", null, "Redis users that may use key_evt_amqp.* where the upstream has no CONFIG command, as many managed ones do not.",
            (o, v) => v.Values.Contains("") ? Fault(o, v, "must not be empty") : o with { AdminUsers = v.Values }) { Repeatable = true },
        new(OptionGroup.Clients, "coverage-wait", "seconds", "1", "Hold requests back for at most this long while events of their Redis are wanted but not heard yet: at the start, after a restart of Redis, after a lost subscription. 0: never.",
            (o, v) => v.Seconds(0, 60) is { } time ? o with { CoverageWait = time } : o),
        new(OptionGroup.Clients, "listen-base", "port", "16380", "With redis+cluster://. The first of the ports that lead to the nodes, one port for each node, on the host of the first --listen.",
            (o, v) => v.Integer(1, 65535) is { } port ? o with { ListenBase = port } : o),
        new(OptionGroup.Clients, "announce-host", "host", null, "With redis+cluster://. The host by which clients are told to reach those ports.",
            ReadAnnounced) { DefaultShown = "as each client has come" },
        new(OptionGroup.Clients, "merge-keyspace", "yes|no", "no", "With redis+cluster://. yes: whoever subscribes to channels that begin with __keyevent@ or __keyspace@ hears the notifications of all masters, at any port.",
            (o, v) => v.Word(("no", false), ("yes", true)) is { } merge ? o with { MergeKeyspace = merge } : o),

        new(OptionGroup.Redis, "upstream", "uri", "redis://127.0.0.1:6379", "The Redis behind the proxy: redis://[user:password@]host:port, rediss:// for TLS, unix:/path, redis+sentinel://[user:password@]host:26379,host:26379/master, or redis+cluster://[user:password@]host:port,host:port. No database number and no parameters behind it.",
            (o, v) => UpstreamAddress.TryParse(v.Value, out var address, out var error) ? o with { Upstream = address } : Fault(o, v, $"is wrong: {error}")),
        new(OptionGroup.Redis, "upstream-password-file", "file", null, "A file with the password for Redis. It wins over a password in --upstream.",
            (o, v) => v.SecretFromFile() is { } secret ? o with { UpstreamPassword = secret } : o),
        new(OptionGroup.Redis, "sentinel-user", "name", null, "The user for the Sentinels of redis+sentinel://, where they have users.",
            (o, v) => v.Value.Length > 0 ? o with { SentinelUser = v.Value } : Fault(o, v, "must not be empty")),
        new(OptionGroup.Redis, "sentinel-password-file", "file", null, "A file with the password of the Sentinels themselves. The password in --upstream is that of Redis.",
            (o, v) => v.SecretFromFile() is { } secret ? o with { SentinelPassword = secret } : o),
        new(OptionGroup.Redis, "notify-config", "mode", "manage", "What KeyEvt does about notify-keyspace-events of Redis. manage: add the flags that are missing; verify: only check them; off: neither.",
            (o, v) => v.Word(("manage", NotifyMode.Manage), ("verify", NotifyMode.Verify), ("off", NotifyMode.Off)) is { } mode ? o with { NotifyMode = mode } : o),
        new(OptionGroup.Redis, "state", "on|off", "on", "on: keep in Redis how far the events have come, beside the fallback storage. Then the next start can tell which time was missed while KeyEvt did not run.",
            (o, v) => v.Word(("on", true), ("off", false)) is { } keep ? o with { KeepState = keep } : o),
        new(OptionGroup.Redis, "instance", "name", null, "The name of this KeyEvt in the markers that it sends through Redis, and in the key of --state. Letters, digits, dot, dash, underscore. Two that share one Redis need a name each.", ReadInstance) { DefaultShown = "random" },

        new(OptionGroup.RabbitMq, "amqp", "uri", "amqp://guest:guest@127.0.0.1:5672/", "The RabbitMQ: amqp://[user:password@]host[:port][/vhost], or amqps:// for TLS.",
            (o, v) => AmqpUri.Parse(v.Value, o.Forwarding.Amqp, out var fault) is { } amqp ? Amqp(o, _ => amqp) : Fault(o, v, fault)),
        new(OptionGroup.RabbitMq, "amqp-password-file", "file", null, "A file with the password for RabbitMQ. It wins over a password in --amqp.",
            (o, v) => v.SecretFromFile() is { } secret ? o with { AmqpPassword = secret } : o),
        new(OptionGroup.RabbitMq, "amqp-hosts", "host[:port]", null, "Brokers that commands may name besides the one of --amqp: host (its ports 5671, 5672 and that of --amqp), host:port, or * for any.",
            (o, v) => ReadAll(v, ReadAllowedBroker) is { } hosts ? Forward(o, f => f with { AmqpHosts = hosts }) : o) { Repeatable = true },
        new(OptionGroup.RabbitMq, "heartbeat", "seconds", "30", "Interval of the AMQP heartbeat. 0: none.",
            (o, v) => v.Integer(0, 65535) is { } seconds ? Amqp(o, a => a with { HeartbeatSeconds = seconds }) : o),
        new(OptionGroup.RabbitMq, "exchange", "name", "amq.direct", "The exchange that events are published to.",
            (o, v) => v.ShortString() is { } name ? Forward(o, f => f with { Exchange = name }) : o),
        new(OptionGroup.RabbitMq, "routing-key", "key", "redis_keyspace_events", "The routing key that events are published with. {db}, {event}, {class} and {key} stand for those of the event.",
            (o, v) => v.ShortString() is not { } key ? o : RoutingKeyTemplate.Fault(key) is { } fault ? Fault(o, v, fault) : Forward(o, f => f with { RoutingKey = key })),
        new(OptionGroup.RabbitMq, "declare-queue", "name", null, "Declare this durable queue, unless it exists, and bind it to the exchange and routing key.",
            (o, v) => v.ShortString() is { } queue ? Forward(o, f => f with { DeclareQueue = queue }) : o),
        new(OptionGroup.RabbitMq, "declare-queue-type", "type", null, "The type that the queue of --declare-queue must have: quorum, classic or stream.",
            (o, v) => v.Word(("quorum", QueueType.Quorum), ("classic", QueueType.Classic), ("stream", QueueType.Stream)) is { } type ? Forward(o, f => f with { DeclareQueueType = type }) : o) { DefaultShown = "as it is there, else quorum" },

        new(OptionGroup.Messages, "events", "flags", "xe", "Which classes of events are forwarded, in the letters of notify-keyspace-events. xe: expired and evicted keys. A: nearly all.",
            (o, v) => NotifyFlags.TryParse(v.Value, out var classes, out var error) ? Forward(o, f => f with { Events = classes }) : Fault(o, v, $"has a wrong flag: {error}")),
        new(OptionGroup.Messages, "keymask", "mask", null, "Forward events of the keys that match, such as ^user:.*$, or ALL. Without a mask and a rule nothing is forwarded.",
            ReadMasks) { Repeatable = true },
        new(OptionGroup.Messages, "rule", "rule", null, "Forward also what this rule wants. Example: events=xe db=0 mask=^session: for those classes, in that database, of keys that match. events and db may be left out.",
            (o, v) => ReadAll(v, ReadRule) is { } rules ? Forward(o, f => f with { Rules = new RuleSet(rules) }) : o) { Repeatable = true, Separators = ['\n', '\r'] },
        new(OptionGroup.Messages, "format", "shape", "text", "The shape of the messages: text (as of the replaced module), json, or cloudevents.",
            (o, v) => v.Word(("text", MessageFormat.Text), ("json", MessageFormat.Json), ("cloudevents", MessageFormat.CloudEvents)) is { } format ? Forward(o, f => f with { Format = format }) : o),
        new(OptionGroup.Messages, "delivery-mode", "1|2", "1", "1: transient messages, which a restart of RabbitMQ may lose. 2: persistent ones.",
            (o, v) => v.Integer(1, 2) is { } mode ? Forward(o, f => f with { DeliveryMode = mode }) : o),
        new(OptionGroup.Messages, "gap-events", "yes|no", "no", "yes: publish each gap too, as JSON with the routing key <routing-key>.gap. A gap is a time in which events may have been missed.",
            (o, v) => v.Word(("no", false), ("yes", true)) is { } gaps ? o with { GapEvents = gaps } : o),

        new(OptionGroup.Delivery, "fallback-storage-size", "events", "10000000", "How many events may wait in the fallback storage, a list in Redis, while RabbitMQ cannot take them. 0: unlimited. Negative: no fallback storage.",
            (o, v) => v.Long(long.MinValue, long.MaxValue) is { } size ? Forward(o, f => f with { FallbackStorageSize = size }) : o),
        new(OptionGroup.Delivery, "spool", "directory", null, "A folder on this machine for events that neither RabbitMQ nor the fallback storage in Redis takes.",
            (o, v) => v.Value.Length > 0 ? o with { Spool = v.Value } : Fault(o, v, "must not be empty")),
        new(OptionGroup.Delivery, "unroutable", "policy", "drop", "What happens to an event that no queue takes, once RabbitMQ has routed another on the same connection. drop: count it as dropped. store: keep it and try again.",
            (o, v) => v.Word(("drop", false), ("store", true)) is { } store ? o with { StoreUnroutable = store } : o),
        new(OptionGroup.Delivery, "max-attempts", "times", "0", "How often RabbitMQ may refuse an event (nack) before it is published with the routing key <routing-key>.failed instead. 0: try for ever.",
            (o, v) => v.Integer(0, 1_000_000) is { } times ? o with { MaxAttempts = times } : o),

        new(OptionGroup.Tls, "tls-cert", "file", null, "The certificate that clients of rediss:// addresses are shown, with its intermediates. PEM.",
            (o, v) => ReadFile(o, v) is { } file ? o with { ListenTls = o.ListenTls with { Certificate = file } } : o),
        new(OptionGroup.Tls, "tls-key", "file", null, "The private key of --tls-cert. PEM, not encrypted.",
            (o, v) => ReadFile(o, v) is { } file ? o with { ListenTls = o.ListenTls with { Key = file } } : o),
        new(OptionGroup.Tls, "tls-ca", "file", null, "The authorities that certificates of clients are checked against. With it clients must show a certificate. PEM.",
            (o, v) => ReadFile(o, v) is { } file ? o with { ListenTls = o.ListenTls with { Ca = file } } : o),
        new(OptionGroup.Tls, "tls-auth-clients", "yes|no|optional", null, "Must clients show a certificate of --tls-ca? yes: they must; no: none is asked for; optional: they may.",
            (o, v) => v.Word(("yes", ClientCertificates.Yes), ("no", ClientCertificates.No), ("optional", ClientCertificates.Optional)) is { } clients ? o with { TlsAuthClients = clients } : o) { DefaultShown = "yes with --tls-ca" },
        new(OptionGroup.Tls, "upstream-ca", "file", null, "The only authorities to trust for rediss://. PEM.",
            (o, v) => ReadFile(o, v) is { } file ? o with { UpstreamTls = o.UpstreamTls with { Ca = file } } : o) { DefaultShown = "the system's" },
        new(OptionGroup.Tls, "upstream-cert", "file", null, "The certificate to show to a Redis that asks for one. PEM.",
            (o, v) => ReadFile(o, v) is { } file ? o with { UpstreamTls = o.UpstreamTls with { Certificate = file } } : o),
        new(OptionGroup.Tls, "upstream-key", "file", null, "The private key of --upstream-cert. PEM, not encrypted.",
            (o, v) => ReadFile(o, v) is { } file ? o with { UpstreamTls = o.UpstreamTls with { Key = file } } : o),
        new(OptionGroup.Tls, "amqp-ca", "file", null, "The only authorities to trust for amqps://. PEM.",
            (o, v) => ReadFile(o, v) is { } file ? o with { AmqpTls = o.AmqpTls with { Ca = file } } : o) { DefaultShown = "the system's" },
        new(OptionGroup.Tls, "amqp-cert", "file", null, "The certificate to show to a RabbitMQ that asks for one. PEM.",
            (o, v) => ReadFile(o, v) is { } file ? o with { AmqpTls = o.AmqpTls with { Certificate = file } } : o),
        new(OptionGroup.Tls, "amqp-key", "file", null, "The private key of --amqp-cert. PEM, not encrypted.",
            (o, v) => ReadFile(o, v) is { } file ? o with { AmqpTls = o.AmqpTls with { Key = file } } : o),

        new(OptionGroup.Limits, "max-clients", "clients", "10000", "How many clients may be connected at once. Further ones get the error that Redis gives, and are closed.",
            (o, v) => v.Integer(1, 1_000_000) is { } clients ? o with { MaxClients = clients } : o),
        new(OptionGroup.Limits, "connect-timeout", "seconds", "5", "How long a connection to Redis may take, TLS handshake included.",
            (o, v) => v.Seconds(0.1, 3600) is { } time ? o with { ConnectTimeout = time } : o),
        new(OptionGroup.Limits, "idle-timeout", "seconds", "0", "Close a session after this long without a byte in either direction. Blocking commands (BLPOP) and idle subscriptions count as idle, so set it higher than the longest wait your clients use. 0: never.",
            (o, v) => v.Seconds(0, 31_536_000) is { } time ? o with { IdleTimeout = time } : o),
        new(OptionGroup.Limits, "tcp-keepalive", "seconds", "300", "After this long without a byte, ask the network whether the other side is still there. 0: never.",
            (o, v) => v.Integer(0, 32_767) is { } seconds ? o with { Sockets = o.Sockets with { KeepAliveSeconds = seconds } } : o),
        new(OptionGroup.Limits, "buffer-bytes", "bytes", "64m", "Memory for events that wait for RabbitMQ. k, m and g stand for 1024, 1024^2 and 1024^3 bytes.",
            (o, v) => v.ByteSize(64 << 10, 64L << 30) is { } bytes ? o with { BufferBytes = bytes } : o),
        new(OptionGroup.Limits, "window", "messages", "1024", "How many messages may be under way to RabbitMQ without its confirm.",
            (o, v) => v.Integer(1, 65535) is { } window ? o with { Window = window } : o),

        LoadModule,
        new(OptionGroup.Program, "admin", "address", "127.0.0.1:6381", "Where the admin pages /healthz, /readyz, /metrics and /info are served over HTTP: host:port, unix:/path, or off.", ReadAdmin),
        new(OptionGroup.Program, "admin-token-file", "file", null, "A file with a token. All admin pages but /healthz and /readyz then ask for it (Authorization: Bearer).",
            (o, v) => v.SecretFromFile() is { } token ? o with { AdminToken = token } : o),
        new(OptionGroup.Program, "log-level", "level", "information", "The least important messages to log: trace, debug, information, warning, error, critical or none.",
            (o, v) => v.Word(("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("information", LogLevel.Information), ("warning", LogLevel.Warning),
                ("error", LogLevel.Error), ("critical", LogLevel.Critical), ("none", LogLevel.None)) is { } level ? o with { LogLevel = level } : o),
        new(OptionGroup.Program, "transport", "kind", "auto", "What carries the sessions: epoll (event loops, Linux only), sockets (the ones of .NET), or auto, which is epoll where there is one.", ReadTransport),
        new(OptionGroup.Program, "loops", "threads", "1", "Event loops of the epoll transport. One is enough for what one Redis can answer.",
            (o, v) => v.Integer(1, 64) is { } loops ? o with { Loops = loops } : o),
    ];

    /// <summary>All options, and the one that names the file of options: what the command line and the environment may give.</summary>
    public static readonly IReadOnlyList<OptionSpec> WithConfig = [Config, .. All];

    public static OptionSpec? Find(string name, IEnumerable<OptionSpec> among) => among.FirstOrDefault(option => option.Name == name);

    private static ProxyOptions Forward(ProxyOptions options, Func<ForwarderConfig, ForwarderConfig> change) => options with { Forwarding = change(options.Forwarding) };

    private static ProxyOptions Amqp(ProxyOptions options, Func<AmqpSettings, AmqpSettings> change) => Forward(options, f => f with { Amqp = change(f.Amqp) });

    private static ProxyOptions Fault(ProxyOptions unchanged, OptionInput input, string text)
    {
        input.Fault(text);
        return unchanged;
    }

    private delegate T? Parser<T>(string text, out string fault) where T : class;

    private static List<T>? ReadAll<T>(OptionInput input, Parser<T> parse) where T : class
    {
        var read = new List<T>();
        foreach (var value in input.Values)
        {
            if (parse(value, out var fault) is { } item) read.Add(item);
            else input.Fault(fault);
        }
        return read.Count == input.Values.Count ? read : null;
    }

    private static AllowedBroker? ReadAllowedBroker(string text, out string fault)
    {
        fault = $"must be host, host:port or * each, with an IPv6 address in brackets, not {Printable.Quote(text)}";
        if (text == "*") return AllowedBroker.Any;
        return EndPointText.SplitHostPort(text, out var host, out var port) ? new AllowedBroker(host, port) : null;
    }

    private static EventRule? ReadRule(string text, out string fault) =>
        EventRule.TryParse(System.Text.Encoding.Latin1.GetString(System.Text.Encoding.UTF8.GetBytes(text)), out var rule, out fault) ? rule : null;

    private static ProxyOptions ReadMasks(ProxyOptions options, OptionInput input)
    {
        var faults = new List<string>();
        var masks = ConfigParameters.ReadMasks([.. input.Values.Select(mask => new ReadOnlyMemory<byte>(System.Text.Encoding.UTF8.GetBytes(mask)))], faults);
        return masks is null ? Fault(options, input, "must not be empty: ALL matches every key") : Forward(options, f => f with { Masks = masks });
    }

    private static ProxyOptions ReadAdmin(ProxyOptions options, OptionInput input)
    {
        if (input.Value.Equals("off", StringComparison.OrdinalIgnoreCase)) return options with { Admin = null };
        return EndPointText.Parse(input.Value, out var fault) is { } address ? options with { Admin = address } : Fault(options, input, fault + ", or off");
    }

    private static string? ReadFile(ProxyOptions options, OptionInput input)
    {
        if (input.Value.Length == 0) Fault(options, input, "must name a file");
        return input.Value.Length == 0 ? null : input.Value;
    }

    private static ProxyOptions ReadSocketMode(ProxyOptions options, OptionInput input)
    {
        var isOctal = input.Value.Length is 3 or 4 && input.Value.All(c => c is >= '0' and <= '7') && (input.Value.Length == 3 || input.Value[0] == '0');
        return isOctal
            ? options with { Sockets = options.Sockets with { UnixSocketMode = (UnixFileMode)Convert.ToInt32(input.Value, 8) } }
            : Fault(options, input, $"must be three octal digits such as 770, not {Printable.Quote(input.Value)}");
    }

    private static ProxyOptions ReadTransport(ProxyOptions options, OptionInput input)
    {
        var kind = input.Word(("auto", TransportKind.Auto), ("epoll", TransportKind.Epoll), ("sockets", TransportKind.Sockets));
        if (kind == TransportKind.Epoll && !Platform.HasEpoll)
        {
            return Fault(options, input, "cannot be epoll: that is there on 64-bit Linux only");
        }

        return kind is { } known ? options with { Transport = known } : options;
    }

    private static ProxyOptions ReadAnnounced(ProxyOptions options, OptionInput input)
    {
        var faults = new List<string>();
        return ConfigParameters.ReadHost(OptionInput.Bytes(input.Value), faults) is { } host
            ? options with { AnnounceHost = host }
            : Fault(options, input, $"must be a host name or an address, not {Printable.Quote(input.Value)}");
    }

    private static ProxyOptions ReadInstance(ProxyOptions options, OptionInput input)
    {
        var valid = input.Value.Length is > 0 and <= 64 && input.Value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
        return valid ? options with { Instance = input.Value, NamedInstance = input.Value } : Fault(options, input, $"must be 1 to 64 letters, digits, dots, dashes or underscores, not {Printable.Quote(input.Value)}");
    }
}
