using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Parameters;
using KeyEvt.Proxy.Server;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Text;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Posix;
using KeyEvt.Proxy.Transport.Tls;
using Microsoft.Extensions.Logging;
using static KeyEvt.Proxy.Options.OptionSpec;

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
        Initial((f, v) => LoadModuleArguments.ParseLine(v) is { } load ? load.ApplyTo(f) : f));

    public static readonly IReadOnlyList<OptionSpec> All =
    [
        new(OptionGroup.Clients, "listen", "address", "127.0.0.1:6380", "Where clients connect: host:port, unix:/path, or rediss://host:port for TLS.",
            Server((s, v) => ReadAll(v, EndPointText.ParseListen) is { } listen ? s with { Listen = listen } : s)) { Repeatable = true },
        new(OptionGroup.Clients, "unix-socket-permissions", "mode", null, "Who may use the sockets of --listen unix: and --admin unix:, in octal as chmod takes it, such as 770.", Sockets(ReadSocketMode)) { DefaultShown = "by the umask" },
        new(OptionGroup.Clients, "admin-users", "user", null, "Redis users that may use key_evt_amqp.* where the upstream has no CONFIG command, as many managed ones do not.",
            Server((s, v) => v.Values.Contains("") ? Fault(s, v, "must not be empty") : s with { AdminUsers = v.Values })) { Repeatable = true },
        new(OptionGroup.Clients, "coverage-wait", "seconds", "1", "Hold requests back for at most this long while events of their Redis are wanted but not heard yet: at the start, after a restart of Redis, after a lost subscription. 0: never.",
            Forwarder((f, v) => v.Seconds(0, 60) is { } time ? f with { CoverageWait = time } : f)),
        new(OptionGroup.Clients, "listen-base", "port", "16380", "With redis+cluster://. The first of the ports that lead to the nodes, one port for each node, on the host of the first --listen.",
            Server((s, v) => v.Integer(1, 65535) is { } port ? s with { ListenBase = port } : s)),
        new(OptionGroup.Clients, "announce-host", "host", null, "With redis+cluster://. The host by which clients are told to reach those ports.",
            Server(ReadAnnounced)) { DefaultShown = "as each client has come" },
        new(OptionGroup.Clients, "merge-keyspace", "yes|no", "no", "With redis+cluster://. yes: whoever subscribes to channels that begin with __keyevent@ or __keyspace@ hears the notifications of all masters, at any port.",
            Server((s, v) => v.Word(("no", false), ("yes", true)) is { } merge ? s with { MergeKeyspace = merge } : s)),

        new(OptionGroup.Redis, "upstream", "uri", "redis://127.0.0.1:6379", "The Redis behind the proxy: redis://[user:password@]host:port, rediss:// for TLS, unix:/path, redis+sentinel://[user:password@]host:26379,host:26379/master, or redis+cluster://[user:password@]host:port,host:port. No database number and no parameters behind it.",
            Forwarder((f, v) => UpstreamAddress.TryParse(v.Value, out var address, out var error) ? f with { Upstream = address } : Fault(f, v, $"is wrong: {error}"))),
        new(OptionGroup.Redis, "upstream-password-file", "file", null, "A file with the password for Redis. It wins over a password in --upstream.",
            Logins((l, v) => v.SecretFromFile() is { } secret ? l with { UpstreamPassword = secret } : l)),
        new(OptionGroup.Redis, "sentinel-user", "name", null, "The user for the Sentinels of redis+sentinel://, where they have users.",
            Logins((l, v) => v.Value.Length > 0 ? l with { SentinelUser = v.Value } : Fault(l, v, "must not be empty"))),
        new(OptionGroup.Redis, "sentinel-password-file", "file", null, "A file with the password of the Sentinels themselves. The password in --upstream is that of Redis.",
            Logins((l, v) => v.SecretFromFile() is { } secret ? l with { SentinelPassword = secret } : l)),
        new(OptionGroup.Redis, "notify-config", "mode", "manage", "What KeyEvt does about notify-keyspace-events of Redis. manage: add the flags that are missing; verify: only check them; off: neither.",
            Feed((f, v) => v.Word(("manage", NotifyMode.Manage), ("verify", NotifyMode.Verify), ("off", NotifyMode.Off)) is { } mode ? f with { NotifyMode = mode } : f)),
        new(OptionGroup.Redis, "state", "on|off", "on", "on: keep in Redis how far the events have come, beside the fallback storage. Then the next start can tell which time was missed while KeyEvt did not run.",
            Forwarder((f, v) => v.Word(("on", true), ("off", false)) is { } keep ? f with { KeepState = keep } : f)),
        new(OptionGroup.Redis, "instance", "name", null, "The name of this KeyEvt, for people: in its messages to its group, in message ids of gaps, and towards Redis and RabbitMQ. Letters, digits, dot, dash, underscore.", Forwarder((f, v) => ReadName(f, v) is { } name ? f with { Instance = name } : f)) { DefaultShown = "random" },
        new(OptionGroup.Redis, "group", "name", null, "Several KeyEvts with the same name before the same Redis act as one: one of them forwards the events of each master, and if it fails, another goes on from the same place. They have one configuration: a command given to one changes all. Letters, digits, dot, dash, underscore.",
            Forwarder((f, v) => ReadName(f, v) is { } name ? f with { Group = name } : f)) { DefaultShown = "made of the broker, the virtual host, the exchange and the routing key" },
        new(OptionGroup.Redis, "group-seats", "count", "3", "How many members of the group listen to the events of Redis. The others wait, at almost no cost, until one of these is gone. At least 2, if another is to go on where one has failed.",
            Feed((f, v) => v.Integer(1, 100) is { } seats ? f with { GroupSeats = seats } : f)),
        new(OptionGroup.Redis, "group-secret-file", "file", null, "A file with a secret that all members of the group have. Messages of the group that are not sealed with it are ignored. With it the broker and its password can be changed by a command.",
            Forwarder((f, v) => v.SecretFromFile() is { } secret ? f with { GroupSecret = secret } : f)),
        new(OptionGroup.Redis, "config-store", "on|off", "on", "on: keep in Redis what commands have changed, so that it outlives the members. off: it lasts as long as one of them runs.",
            Forwarder((f, v) => v.Word(("on", true), ("off", false)) is { } keep ? f with { KeepConfig = keep } : f)),

        new(OptionGroup.RabbitMq, "amqp", "uri", "amqp://guest:guest@127.0.0.1:5672/", "The RabbitMQ: amqp://[user:password@]host[:port][/vhost], or amqps:// for TLS.",
            Amqp((a, v) => AmqpUri.Parse(v.Value, a, out var fault) ?? Fault(a, v, fault))),
        new(OptionGroup.RabbitMq, "amqp-password-file", "file", null, "A file with the password for RabbitMQ. It wins over a password in --amqp.",
            Logins((l, v) => v.SecretFromFile() is { } secret ? l with { AmqpPassword = secret } : l)),
        new(OptionGroup.RabbitMq, "amqp-hosts", "host[:port]", null, "Brokers that commands may name besides the one of --amqp: host (its ports 5671, 5672 and that of --amqp), host:port, or * for any.",
            Initial((f, v) => ReadAll(v, ReadAllowedBroker) is { } hosts ? f with { AmqpHosts = hosts } : f)) { Repeatable = true },
        new(OptionGroup.RabbitMq, "heartbeat", "seconds", "30", "Interval of the AMQP heartbeat. 0: none.",
            Amqp((a, v) => v.Integer(0, 65535) is { } seconds ? a with { HeartbeatSeconds = seconds } : a)),
        new(OptionGroup.RabbitMq, "exchange", "name", "amq.direct", "The exchange that events are published to.",
            Initial((f, v) => v.ShortString() is { } name ? f with { Exchange = name } : f)),
        new(OptionGroup.RabbitMq, "routing-key", "key", "redis_keyspace_events", "The routing key that events are published with. {db}, {event}, {class} and {key} stand for those of the event.",
            Initial((f, v) => v.ShortString() is not { } key ? f : RoutingKeyTemplate.Fault(key) is { } fault ? Fault(f, v, fault) : f with { RoutingKey = key })),
        new(OptionGroup.RabbitMq, "declare-queue", "name", null, "Declare this durable queue, unless it exists, and bind it to the exchange and routing key.",
            Initial((f, v) => v.ShortString() is { } queue ? f with { DeclareQueue = queue } : f)),
        new(OptionGroup.RabbitMq, "declare-queue-type", "type", null, "The type that the queue of --declare-queue must have: quorum, classic or stream.",
            Initial((f, v) => v.Word(("quorum", QueueType.Quorum), ("classic", QueueType.Classic), ("stream", QueueType.Stream)) is { } type ? f with { DeclareQueueType = type } : f)) { DefaultShown = "as it is there, else quorum" },

        new(OptionGroup.Messages, "events", "flags", "xe", "Which classes of events are forwarded, in the letters of notify-keyspace-events. xe: expired and evicted keys. A: nearly all.",
            Initial((f, v) => NotifyFlags.TryParse(v.Value, out var classes, out var error) ? f with { Events = classes } : Fault(f, v, $"has a wrong flag: {error}"))),
        new(OptionGroup.Messages, "keymask", "mask", null, "Forward events of the keys that match, such as ^user:.*$, or ALL. Without a mask and a rule nothing is forwarded.",
            Initial(ReadMasks)) { Repeatable = true },
        new(OptionGroup.Messages, "rule", "rule", null, "Forward also what this rule wants. Example: events=xe db=0 mask=^session: for those classes, in that database, of keys that match. events and db may be left out.",
            Initial((f, v) => ReadAll(v, ReadRule) is { } rules ? f with { Rules = new RuleSet(rules) } : f)) { Repeatable = true, Separators = ['\n', '\r'] },
        new(OptionGroup.Messages, "format", "shape", "text", "The shape of the messages: text (as of the replaced module), json, or cloudevents.",
            Initial((f, v) => v.Word(("text", MessageFormat.Text), ("json", MessageFormat.Json), ("cloudevents", MessageFormat.CloudEvents)) is { } format ? f with { Format = format } : f)),
        new(OptionGroup.Messages, "delivery-mode", "1|2", "1", "1: transient messages, which a restart of RabbitMQ may lose. 2: persistent ones.",
            Initial((f, v) => v.Integer(1, 2) is { } mode ? f with { DeliveryMode = mode } : f)),
        new(OptionGroup.Messages, "gap-events", "yes|no", "no", "yes: publish each gap too, as JSON with the routing key <routing-key>.gap. A gap is a time in which events may have been missed.",
            Forwarder((f, v) => v.Word(("no", false), ("yes", true)) is { } gaps ? f with { PublishGaps = gaps } : f)),

        new(OptionGroup.Delivery, "fallback-storage-size", "events", "10000000", "How many events may wait in the fallback storage, a list in Redis, while RabbitMQ cannot take them. 0: unlimited. Negative: no fallback storage.",
            Initial((f, v) => v.Long(long.MinValue, long.MaxValue) is { } size ? f with { FallbackStorageSize = size } : f)),
        new(OptionGroup.Delivery, "spool", "directory", null, "A folder on this machine for events that neither RabbitMQ nor the fallback storage in Redis takes.",
            Delivery((d, v) => v.Value.Length > 0 ? d with { Spool = v.Value } : Fault(d, v, "must not be empty"))),
        new(OptionGroup.Delivery, "unroutable", "policy", "drop", "What happens to an event that no queue takes, once RabbitMQ has routed another on the same connection. drop: count it as dropped. store: keep it and try again.",
            Delivery((d, v) => v.Word(("drop", false), ("store", true)) is { } store ? d with { StoreUnroutable = store } : d)),
        new(OptionGroup.Delivery, "max-attempts", "times", "0", "How often RabbitMQ may refuse an event (nack) before it is published with the routing key <routing-key>.failed instead. 0: try for ever.",
            Delivery((d, v) => v.Integer(0, 1_000_000) is { } times ? d with { MaxAttempts = times } : d)),

        new(OptionGroup.Tls, "tls-cert", "file", null, "The certificate that clients of rediss:// addresses are shown, with its intermediates. PEM.",
            ListenTls((t, v) => ReadFile(v) is { } file ? t with { Certificate = file } : t)),
        new(OptionGroup.Tls, "tls-key", "file", null, "The private key of --tls-cert. PEM, not encrypted.",
            ListenTls((t, v) => ReadFile(v) is { } file ? t with { Key = file } : t)),
        new(OptionGroup.Tls, "tls-ca", "file", null, "The authorities that certificates of clients are checked against. With it clients must show a certificate. PEM.",
            ListenTls((t, v) => ReadFile(v) is { } file ? t with { Ca = file } : t)),
        new(OptionGroup.Tls, "tls-auth-clients", "yes|no|optional", null, "Must clients show a certificate of --tls-ca? yes: they must; no: none is asked for; optional: they may.",
            Tls((t, v) => v.Word(("yes", ClientCertificates.Yes), ("no", ClientCertificates.No), ("optional", ClientCertificates.Optional)) is { } clients ? t with { Clients = clients } : t)) { DefaultShown = "yes with --tls-ca" },
        new(OptionGroup.Tls, "upstream-ca", "file", null, "The only authorities to trust for rediss://. PEM.",
            UpstreamTls((t, v) => ReadFile(v) is { } file ? t with { Ca = file } : t)) { DefaultShown = "the system's" },
        new(OptionGroup.Tls, "upstream-cert", "file", null, "The certificate to show to a Redis that asks for one. PEM.",
            UpstreamTls((t, v) => ReadFile(v) is { } file ? t with { Certificate = file } : t)),
        new(OptionGroup.Tls, "upstream-key", "file", null, "The private key of --upstream-cert. PEM, not encrypted.",
            UpstreamTls((t, v) => ReadFile(v) is { } file ? t with { Key = file } : t)),
        new(OptionGroup.Tls, "amqp-ca", "file", null, "The only authorities to trust for amqps://. PEM.",
            AmqpTls((t, v) => ReadFile(v) is { } file ? t with { Ca = file } : t)) { DefaultShown = "the system's" },
        new(OptionGroup.Tls, "amqp-cert", "file", null, "The certificate to show to a RabbitMQ that asks for one. PEM.",
            AmqpTls((t, v) => ReadFile(v) is { } file ? t with { Certificate = file } : t)),
        new(OptionGroup.Tls, "amqp-key", "file", null, "The private key of --amqp-cert. PEM, not encrypted.",
            AmqpTls((t, v) => ReadFile(v) is { } file ? t with { Key = file } : t)),

        new(OptionGroup.Limits, "max-clients", "clients", "10000", "How many clients may be connected at once. Further ones get the error that Redis gives, and are closed.",
            Server((s, v) => v.Integer(1, 1_000_000) is { } clients ? s with { MaxClients = clients } : s)),
        new(OptionGroup.Limits, "connect-timeout", "seconds", "5", "How long a connection to Redis may take, TLS handshake included.",
            Deadlines((d, v) => v.Seconds(0.1, 3600) is { } time ? d with { Connect = time } : d)),
        new(OptionGroup.Limits, "idle-timeout", "seconds", "0", "Close a session after this long without a byte in either direction. Blocking commands (BLPOP) and idle subscriptions count as idle, so set it higher than the longest wait your clients use. 0: never.",
            Server((s, v) => v.Seconds(0, 31_536_000) is { } time ? s with { IdleTimeout = time } : s)),
        new(OptionGroup.Limits, "tcp-keepalive", "seconds", "300", "After this long without a byte, ask the network whether the other side is still there. 0: never.",
            Sockets((s, v) => v.Integer(0, 32_767) is { } seconds ? s with { KeepAliveSeconds = seconds } : s)),
        new(OptionGroup.Limits, "buffer-bytes", "bytes", "64m", "Memory for events that wait for RabbitMQ. k, m and g stand for 1024, 1024^2 and 1024^3 bytes.",
            Delivery((d, v) => v.ByteSize(64 << 10, 64L << 30) is { } bytes ? d with { BufferBytes = bytes } : d)),
        new(OptionGroup.Limits, "window", "messages", "1024", "How many messages may be under way to RabbitMQ without its confirm.",
            Delivery((d, v) => v.Integer(1, 65535) is { } window ? d with { Window = window } : d)),

        LoadModule,
        new(OptionGroup.Program, "admin", "address", "127.0.0.1:6381", "Where the admin pages /healthz, /readyz, /metrics and /info are served over HTTP: host:port, unix:/path, or off.", Admin(ReadAdmin)),
        new(OptionGroup.Program, "admin-token-file", "file", null, "A file with a token. All admin pages but /healthz and /readyz then ask for it (Authorization: Bearer).",
            Admin((a, v) => v.SecretFromFile() is { } token ? a with { Token = token } : a)),
        new(OptionGroup.Program, "log-level", "level", "information", "The least important messages to log: trace, debug, information, warning, error, critical or none.",
            (o, v) => v.Word(("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("information", LogLevel.Information), ("warning", LogLevel.Warning),
                ("error", LogLevel.Error), ("critical", LogLevel.Critical), ("none", LogLevel.None)) is { } level ? o with { LogLevel = level } : o),
        new(OptionGroup.Program, "transport", "kind", "auto", "What carries the sessions: epoll (event loops, Linux only), sockets (the ones of .NET), or auto, which is epoll where there is one.", Transport(ReadTransport)),
        new(OptionGroup.Program, "loops", "threads", "1", "Event loops of the epoll transport. One is enough for what one Redis can answer.",
            Transport((t, v) => v.Integer(1, 64) is { } loops ? t with { Loops = loops } : t)),
    ];

    /// <summary>All options, and the one that names the file of options: what the command line and the environment may give.</summary>
    public static readonly IReadOnlyList<OptionSpec> WithConfig = [Config, .. All];

    public static OptionSpec? Find(string name, IEnumerable<OptionSpec> among) => among.FirstOrDefault(option => option.Name == name);

    // Which record does an option go into? One method for each: what it is given reads and changes that record alone.
    private static Update<ProxyOptions> Server(Update<ProxyServerOptions> part) => (o, v) => o with { Server = part(o.Server, v) };

    private static Update<ProxyOptions> Deadlines(Update<SessionDeadlines> part) => Server((s, v) => s with { Deadlines = part(s.Deadlines, v) });

    private static Update<ProxyOptions> Forwarder(Update<ForwarderOptions> part) => (o, v) => o with { Forwarder = part(o.Forwarder, v) };

    private static Update<ProxyOptions> Initial(Update<ForwarderConfig> part) => Forwarder((f, v) => f with { Initial = part(f.Initial, v) });

    private static Update<ProxyOptions> Amqp(Update<AmqpSettings> part) => Initial((i, v) => i with { Amqp = part(i.Amqp, v) });

    private static Update<ProxyOptions> Feed(Update<NodeFeedOptions> part) => Forwarder((f, v) => f with { Feed = part(f.Feed, v) });

    private static Update<ProxyOptions> Delivery(Update<DeliveryOptions> part) => Forwarder((f, v) => f with { Delivery = part(f.Delivery, v) });

    private static Update<ProxyOptions> Logins(Update<LoginOptions> part) => (o, v) => o with { Logins = part(o.Logins, v) };

    private static Update<ProxyOptions> Tls(Update<TlsOptions> part) => (o, v) => o with { Tls = part(o.Tls, v) };

    private static Update<ProxyOptions> ListenTls(Update<TlsFileNames> part) => Tls((t, v) => t with { Listen = part(t.Listen, v) });

    private static Update<ProxyOptions> UpstreamTls(Update<TlsFileNames> part) => Tls((t, v) => t with { Upstream = part(t.Upstream, v) });

    private static Update<ProxyOptions> AmqpTls(Update<TlsFileNames> part) => Tls((t, v) => t with { Amqp = part(t.Amqp, v) });

    private static Update<ProxyOptions> Sockets(Update<SocketSettings> part) => (o, v) => o with { Sockets = part(o.Sockets, v) };

    private static Update<ProxyOptions> Transport(Update<TransportOptions> part) => (o, v) => o with { Transport = part(o.Transport, v) };

    private static Update<ProxyOptions> Admin(Update<AdminOptions> part) => (o, v) => o with { Admin = part(o.Admin, v) };

    private static T Fault<T>(T unchanged, OptionInput input, string text)
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

    private static ForwarderConfig ReadMasks(ForwarderConfig options, OptionInput input)
    {
        var faults = new List<string>();
        var masks = ConfigParameters.ReadMasks([.. input.Values.Select(mask => new ReadOnlyMemory<byte>(System.Text.Encoding.UTF8.GetBytes(mask)))], faults);
        return masks is null ? Fault(options, input, "must not be empty: ALL matches every key") : options with { Masks = masks };
    }

    private static AdminOptions ReadAdmin(AdminOptions options, OptionInput input)
    {
        if (input.Value.Equals("off", StringComparison.OrdinalIgnoreCase)) return options with { Address = null };
        return EndPointText.Parse(input.Value, out var fault) is { } address ? options with { Address = address } : Fault(options, input, fault + ", or off");
    }

    private static string? ReadFile(OptionInput input)
    {
        if (input.Value.Length == 0) input.Fault("must name a file");
        return input.Value.Length == 0 ? null : input.Value;
    }

    private static SocketSettings ReadSocketMode(SocketSettings options, OptionInput input)
    {
        var isOctal = input.Value.Length is 3 or 4 && input.Value.All(c => c is >= '0' and <= '7') && (input.Value.Length == 3 || input.Value[0] == '0');
        return isOctal
            ? options with { UnixSocketMode = (UnixFileMode)Convert.ToInt32(input.Value, 8) }
            : Fault(options, input, $"must be three octal digits such as 770, not {Printable.Quote(input.Value)}");
    }

    private static TransportOptions ReadTransport(TransportOptions options, OptionInput input)
    {
        var kind = input.Word(("auto", TransportKind.Auto), ("epoll", TransportKind.Epoll), ("sockets", TransportKind.Sockets));
        if (kind == TransportKind.Epoll && !Platform.HasEpoll)
        {
            return Fault(options, input, "cannot be epoll: that is there on 64-bit Linux only");
        }

        return kind is { } known ? options with { Kind = known } : options;
    }

    private static ProxyServerOptions ReadAnnounced(ProxyServerOptions options, OptionInput input)
    {
        var faults = new List<string>();
        return ConfigParameters.ReadHost(OptionInput.Bytes(input.Value), faults) is { } host
            ? options with { AnnounceHost = host }
            : Fault(options, input, $"must be a host name or an address, not {Printable.Quote(input.Value)}");
    }

    /// <returns>Null, and a fault is noted, if it is no name.</returns>
    private static string? ReadName(ForwarderOptions options, OptionInput input)
    {
        if (input.Value.Length is > 0 and <= 64 && input.Value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        {
            return input.Value;
        }

        Fault(options, input, $"must be 1 to 64 letters, digits, dots, dashes or underscores, not {Printable.Quote(input.Value)}");
        return null;
    }
}
