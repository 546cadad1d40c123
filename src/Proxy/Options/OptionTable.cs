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
    /// <summary>Names a file of options, so it is read before the rest and is not in the list of what a file may hold.</summary>
    public static readonly OptionSpec Config = new("config", "file", null, "JSON file of options: an object with the names of this table, without the dashes", (o, _) => o);

    /// <summary>Stands in for defaults: applied before everything that is given by name.</summary>
    public static readonly OptionSpec LoadModule = new(
        "loadmodule", "line", null,
        "the replaced module's load line as one value, \"flags host port user password heartbeat exchange routing_key delivery_mode fallback_storage_size keymask...\", or the beginning of it; options given by name win over it",
        (o, v) => LoadModuleArguments.ParseLine(v) is { } load ? o with { Forwarding = load.ApplyTo(o.Forwarding) } : o);

    public static readonly IReadOnlyList<OptionSpec> All =
    [
        new("listen", "address", "127.0.0.1:6380", "where clients connect: host:port, unix:/path, or rediss://host:port for TLS",
            (o, v) => ReadAll(v, EndPointText.ParseListen) is { } listen ? o with { Listen = listen } : o) { Repeatable = true },
        new("upstream", "uri", "redis://127.0.0.1:6379", "the Redis behind the proxy: redis://[user:password@]host:port, rediss:// for TLS, unix:/path, redis+sentinel://[user:password@]host:26379,host:26379/master, or redis+cluster://[user:password@]host:port,host:port; nothing behind it: no database number, no parameters",
            (o, v) => UpstreamAddress.TryParse(v.Value, out var address, out string error) ? o with { Upstream = address } : Fault(o, v, $"is wrong: {error}")),
        new("amqp", "uri", "amqp://guest:guest@127.0.0.1:5672/", "the RabbitMQ: amqp://[user:password@]host[:port][/vhost], or amqps:// for TLS",
            (o, v) => AmqpUri.Parse(v.Value, o.Forwarding.Amqp, out string fault) is { } amqp ? Amqp(o, _ => amqp) : Fault(o, v, fault)),
        new("events", "flags", "xe", "which classes of events are forwarded, in the letters of notify-keyspace-events",
            (o, v) => NotifyFlags.TryParse(v.Value, out var classes, out string error) ? Forward(o, f => f with { Events = classes }) : Fault(o, v, $"has a wrong flag: {error}")),
        new("heartbeat", "seconds", "30", "AMQP heartbeat; 0 for none",
            (o, v) => v.Integer(0, 65535) is { } seconds ? Amqp(o, a => a with { HeartbeatSeconds = seconds }) : o),
        new("exchange", "name", "amq.direct", "where events are published",
            (o, v) => v.ShortString() is { } name ? Forward(o, f => f with { Exchange = name }) : o),
        new("routing-key", "key", "redis_keyspace_events", "with which routing key; {db}, {event}, {class} and {key} stand for those of the event",
            (o, v) => v.ShortString() is not { } key ? o : RoutingKeyTemplate.Fault(key) is { } fault ? Fault(o, v, fault) : Forward(o, f => f with { RoutingKey = key })),
        new("format", "shape", "text", "shape of the messages: text (as the replaced module's), json, or cloudevents",
            (o, v) => v.Word(("text", MessageFormat.Text), ("json", MessageFormat.Json), ("cloudevents", MessageFormat.CloudEvents)) is { } format ? Forward(o, f => f with { Format = format }) : o),
        new("delivery-mode", "1|2", "1", "1 transient, 2 persistent",
            (o, v) => v.Integer(1, 2) is { } mode ? Forward(o, f => f with { DeliveryMode = mode }) : o),
        new("fallback-storage-size", "events", "10000000", "how many events the fallback storage in Redis may hold; 0 unlimited, negative off",
            (o, v) => v.Long(long.MinValue, long.MaxValue) is { } size ? Forward(o, f => f with { FallbackStorageSize = size }) : o),
        new("keymask", "mask", null, "forward the keys that match, such as ^user:.*$, or ALL; without one nothing is forwarded",
            (o, v) => ReadMasks(o, v)) { Repeatable = true },
        new("rule", "rule", null, "besides the masks: events=xe db=0 mask=^session: forwards those events of that database whose key matches; events and db may be left out",
            (o, v) => ReadAll(v, ReadRule) is { } rules ? Forward(o, f => f with { Rules = new RuleSet(rules) }) : o) { Repeatable = true, Separators = ['\n', '\r'] },
        LoadModule,
        new("declare-queue", "name", null, "declare this durable queue, unless it is there, and bind it to exchange and routing key",
            (o, v) => v.ShortString() is { } queue ? Forward(o, f => f with { DeclareQueue = queue }) : o),
        new("declare-queue-type", "type", null, "of which type that queue must be: quorum, classic or stream",
            (o, v) => v.Word(("quorum", QueueType.Quorum), ("classic", QueueType.Classic), ("stream", QueueType.Stream)) is { } type ? Forward(o, f => f with { DeclareQueueType = type }) : o) { DefaultShown = "as it is there, else quorum" },
        new("admin", "address", "127.0.0.1:6381", "HTTP with /healthz, /readyz, /metrics and /info: host:port or unix:/path, or off", ReadAdmin),
        new("admin-token-file", "file", null, "a token that must be shown (Authorization: Bearer) for all pages of --admin but /healthz and /readyz",
            (o, v) => v.SecretFromFile() is { } token ? o with { AdminToken = token } : o),
        new("admin-users", "user", null, "Redis users that may use key_evt_amqp.* where the upstream has no CONFIG command",
            (o, v) => v.Values.Contains("") ? Fault(o, v, "must not be empty") : o with { AdminUsers = v.Values }) { Repeatable = true },
        new("notify-config", "mode", "manage", "manage: add missing flags to notify-keyspace-events; verify: only check them; off",
            (o, v) => v.Word(("manage", NotifyMode.Manage), ("verify", NotifyMode.Verify), ("off", NotifyMode.Off)) is { } mode ? o with { NotifyMode = mode } : o),
        new("coverage-wait", "seconds", "1", "how long requests wait, at most, while events of their Redis are wanted and not heard (start, restart, a lost subscription); 0: never",
            (o, v) => v.Seconds(0, 60) is { } time ? o with { CoverageWait = time } : o),
        new("amqp-hosts", "host[:port]", null, "brokers that commands may name besides the configured one: host (ports 5671, 5672 and the configured one), host:port, or * for any",
            (o, v) => ReadAll(v, ReadAllowedBroker) is { } hosts ? Forward(o, f => f with { AmqpHosts = hosts }) : o) { Repeatable = true },
        new("amqp-password-file", "file", null, "the password for RabbitMQ; wins over one in --amqp",
            (o, v) => v.SecretFromFile() is { } secret ? o with { AmqpPassword = secret } : o),
        new("upstream-password-file", "file", null, "the password for Redis; wins over one in --upstream",
            (o, v) => v.SecretFromFile() is { } secret ? o with { UpstreamPassword = secret } : o),
        new("sentinel-user", "name", null, "as whom to log in at the Sentinels of redis+sentinel://, where they have users",
            (o, v) => v.Value.Length > 0 ? o with { SentinelUser = v.Value } : Fault(o, v, "must not be empty")),
        new("sentinel-password-file", "file", null, "the password of the Sentinels themselves; the one in --upstream is Redis'",
            (o, v) => v.SecretFromFile() is { } secret ? o with { SentinelPassword = secret } : o),
        new("instance", "name", null, "names this proxy in the markers it sends through Redis, and in the key of --state: letters, digits, dot, dash, underscore", ReadInstance) { DefaultShown = "random" },
        new("listen-base", "port", "16380", "with redis+cluster://: the first of the ports that lead to the nodes, one for each, on the host of the first --listen",
            (o, v) => v.Integer(1, 65535) is { } port ? o with { ListenBase = port } : o),
        new("announce-host", "host", null, "with redis+cluster://: how clients are told to reach those ports",
            (o, v) => ReadAnnounced(o, v)) { DefaultShown = "as each client has come" },
        new("merge-keyspace", "yes|no", "no", "with redis+cluster://: whether who subscribes to channels that begin with __keyevent@ or __keyspace@, at any port, hears the notifications of all masters",
            (o, v) => v.Word(("no", false), ("yes", true)) is { } merge ? o with { MergeKeyspace = merge } : o),
        new("connect-timeout", "seconds", "5", "how long a connection to the upstream may take",
            (o, v) => v.Seconds(0.1, 3600) is { } time ? o with { ConnectTimeout = time } : o),
        new("max-clients", "clients", "10000", "so many clients at once; further ones get Redis' own error and are closed",
            (o, v) => v.Integer(1, 1_000_000) is { } clients ? o with { MaxClients = clients } : o),
        new("idle-timeout", "seconds", "0", "closes a session in which neither client nor Redis has sent anything for so long, also one that waits or is subscribed; 0: never",
            (o, v) => v.Seconds(0, 31_536_000) is { } time ? o with { IdleTimeout = time } : o),
        new("tcp-keepalive", "seconds", "300", "after which silence the network is asked whether the other side is still there; 0: never",
            (o, v) => v.Integer(0, 32_767) is { } seconds ? o with { Sockets = o.Sockets with { KeepAliveSeconds = seconds } } : o),
        new("unix-socket-permissions", "mode", null, "of the sockets of --listen unix: and --admin unix:, in octal as chmod takes them, such as 770", ReadSocketMode) { DefaultShown = "by the umask" },
        new("tls-cert", "file", null, "what clients of rediss:// addresses are shown: certificate and intermediates, PEM",
            (o, v) => ReadFile(o, v) is { } file ? o with { ListenTls = o.ListenTls with { Certificate = file } } : o),
        new("tls-key", "file", null, "the private key of --tls-cert, PEM, not encrypted",
            (o, v) => ReadFile(o, v) is { } file ? o with { ListenTls = o.ListenTls with { Key = file } } : o),
        new("tls-ca", "file", null, "authorities that certificates of clients are judged by, PEM; with it, clients must show one",
            (o, v) => ReadFile(o, v) is { } file ? o with { ListenTls = o.ListenTls with { Ca = file } } : o),
        new("tls-auth-clients", "yes|no|optional", null, "whether clients must show a certificate of --tls-ca, need not, or may",
            (o, v) => v.Word(("yes", ClientCertificates.Yes), ("no", ClientCertificates.No), ("optional", ClientCertificates.Optional)) is { } clients ? o with { TlsAuthClients = clients } : o) { DefaultShown = "yes with --tls-ca" },
        new("upstream-ca", "file", null, "the only authorities to trust for rediss://, PEM",
            (o, v) => ReadFile(o, v) is { } file ? o with { UpstreamTls = o.UpstreamTls with { Ca = file } } : o) { DefaultShown = "the system's" },
        new("upstream-cert", "file", null, "what is shown to a Redis that asks for a client certificate, PEM",
            (o, v) => ReadFile(o, v) is { } file ? o with { UpstreamTls = o.UpstreamTls with { Certificate = file } } : o),
        new("upstream-key", "file", null, "the private key of --upstream-cert, PEM, not encrypted",
            (o, v) => ReadFile(o, v) is { } file ? o with { UpstreamTls = o.UpstreamTls with { Key = file } } : o),
        new("amqp-ca", "file", null, "the only authorities to trust for amqps://, PEM",
            (o, v) => ReadFile(o, v) is { } file ? o with { AmqpTls = o.AmqpTls with { Ca = file } } : o) { DefaultShown = "the system's" },
        new("amqp-cert", "file", null, "what is shown to a RabbitMQ that asks for a client certificate, PEM",
            (o, v) => ReadFile(o, v) is { } file ? o with { AmqpTls = o.AmqpTls with { Certificate = file } } : o),
        new("amqp-key", "file", null, "the private key of --amqp-cert, PEM, not encrypted",
            (o, v) => ReadFile(o, v) is { } file ? o with { AmqpTls = o.AmqpTls with { Key = file } } : o),
        new("transport", "kind", "auto", "what carries the sessions: epoll (event loops, Linux), sockets (the runtime's own), or auto, which is epoll where there is one", ReadTransport),
        new("loops", "threads", "1", "event loops of the epoll transport; one is enough for what one Redis can answer",
            (o, v) => v.Integer(1, 64) is { } loops ? o with { Loops = loops } : o),
        new("buffer-bytes", "bytes", "64m", "memory for events that wait; k, m and g are understood",
            (o, v) => v.ByteSize(64 << 10, 64L << 30) is { } bytes ? o with { BufferBytes = bytes } : o),
        new("window", "messages", "1024", "how many messages may wait for RabbitMQ's confirm",
            (o, v) => v.Integer(1, 65535) is { } window ? o with { Window = window } : o),
        new("unroutable", "policy", "drop", "what happens to an event that no queue takes, once RabbitMQ has routed something on the connection: drop (counted) or store (kept and tried again)",
            (o, v) => v.Word(("drop", false), ("store", true)) is { } store ? o with { StoreUnroutable = store } : o),
        new("max-attempts", "times", "0", "how often RabbitMQ may refuse an event (nack) before it is sent on with routing key <routing-key>.failed; 0: tried for ever",
            (o, v) => v.Integer(0, 1_000_000) is { } times ? o with { MaxAttempts = times } : o),
        new("spool", "directory", null, "a local store for events while RabbitMQ is away and the fallback storage in Redis refuses them",
            (o, v) => v.Value.Length > 0 ? o with { Spool = v.Value } : Fault(o, v, "must not be empty")),
        new("state", "on|off", "on", "whether it is kept in Redis, beside the fallback storage, how far the events have come, so that what is missed while keyevt does not run is a gap",
            (o, v) => v.Word(("on", true), ("off", false)) is { } keep ? o with { KeepState = keep } : o),
        new("gap-events", "yes|no", "no", "whether each gap is also published, as JSON with routing key <routing-key>.gap",
            (o, v) => v.Word(("no", false), ("yes", true)) is { } gaps ? o with { GapEvents = gaps } : o),
        new("log-level", "level", "information", "trace, debug, information, warning, error, critical or none",
            (o, v) => v.Word(("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("information", LogLevel.Information), ("warning", LogLevel.Warning),
                ("error", LogLevel.Error), ("critical", LogLevel.Critical), ("none", LogLevel.None)) is { } level ? o with { LogLevel = level } : o),
    ];

    /// <summary>What the command line and the environment know: all of them, and the file that may hold the rest.</summary>
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
        foreach (string value in input.Values)
        {
            if (parse(value, out string fault) is { } item) read.Add(item);
            else input.Fault(fault);
        }
        return read.Count == input.Values.Count ? read : null;
    }

    private static AllowedBroker? ReadAllowedBroker(string text, out string fault)
    {
        fault = $"must be host, host:port or * each, with an IPv6 address in brackets, not {Printable.Quote(text)}";
        if (text == "*") return AllowedBroker.Any;
        return EndPointText.SplitHostPort(text, out string host, out int? port) ? new AllowedBroker(host, port) : null;
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
        return EndPointText.Parse(input.Value, out string fault) is { } address ? options with { Admin = address } : Fault(options, input, fault + ", or off");
    }

    private static string? ReadFile(ProxyOptions options, OptionInput input)
    {
        if (input.Value.Length == 0) Fault(options, input, "must name a file");
        return input.Value.Length == 0 ? null : input.Value;
    }

    private static ProxyOptions ReadSocketMode(ProxyOptions options, OptionInput input)
    {
        bool isOctal = input.Value.Length is 3 or 4 && input.Value.All(c => c is >= '0' and <= '7') && (input.Value.Length == 3 || input.Value[0] == '0');
        return isOctal
            ? options with { Sockets = options.Sockets with { UnixSocketMode = (UnixFileMode)Convert.ToInt32(input.Value, 8) } }
            : Fault(options, input, $"must be three octal digits such as 770, not {Printable.Quote(input.Value)}");
    }

    private static ProxyOptions ReadTransport(ProxyOptions options, OptionInput input)
    {
        var kind = input.Word(("auto", TransportKind.Auto), ("epoll", TransportKind.Epoll), ("sockets", TransportKind.Sockets));
        if (kind == TransportKind.Epoll && !Platform.HasEpoll) return Fault(options, input, "cannot be epoll: that is there on 64-bit Linux only");
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
        bool valid = input.Value.Length is > 0 and <= 64 && input.Value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
        return valid ? options with { Instance = input.Value, NamedInstance = input.Value } : Fault(options, input, $"must be 1 to 64 letters, digits, dots, dashes or underscores, not {Printable.Quote(input.Value)}");
    }
}
