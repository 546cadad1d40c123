using System.Net.Sockets;
using System.Security.Cryptography;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Options;
using KeyEvt.Proxy.Text;

namespace KeyEvt.Proxy.Check;

/// <summary>Does the upstream Redis allow what sessions, interception, the feed and the fallback storage do? Nothing is changed there.</summary>
internal sealed class UpstreamCheck
{
    private const string FlagsParameter = "notify-keyspace-events";

    // Only asks; the commands are those of the fallback storage. acl_check_cmd exists from Redis 7 on.
    private const string FallbackScript = """
        local missing = {}
        if redis.acl_check_cmd then
            local needed = {{'RPUSH', 'x'}, {'LTRIM', '0', '-1'}, {'LINDEX', '0'}}
            for _, c in ipairs(needed) do
                if not redis.acl_check_cmd(c[1], KEYS[1], unpack(c, 2)) then table.insert(missing, c[1]) end
            end
        end
        return {redis.call('LLEN', KEYS[1]), table.concat(missing, ' ')}
        """;

    private readonly ProxyOptions _options;
    private readonly RedisAddress _node;
    private readonly bool _isAlone;
    private readonly MarkerChannel _markers;
    private readonly RedisWire _redis;
    private readonly List<CheckRow> _rows;
    private ServerEvents _server = ServerEvents.Newest;

    private UpstreamCheck(ProxyOptions options, RedisAddress node, RedisWire redis, List<CheckRow> rows)
    {
        (_options, _node, _redis, _rows) = (options, node, redis, rows);
        _isAlone = options.Upstream.Shape == UpstreamShape.Standalone;
        _markers = options.Upstream.Shape == UpstreamShape.Cluster ? MarkerChannel.InShard("0") : MarkerChannel.Plain;
    }

    private string MarkerRights => _markers.IsShard ? $"+ssubscribe +spublish &{MarkerChannel.PlainName}*" : $"+subscribe +publish &{MarkerChannel.PlainName}";

    private string User => _node.User ?? "default";

    /// <summary>Of masks and rules; as if there were a mask, since one may come by a command.</summary>
    private EventClass Wanted => _options.Forwarding.Events | _options.Forwarding.Rules.Events;

    /// <summary>What the server has of it.</summary>
    private EventClass Needed => _server.Meant(Wanted) & _server.Known;

    /// <param name="node">The one that is named, or one of those that are found behind it.</param>
    public static async Task<IReadOnlyList<CheckRow>> RunAsync(ProxyOptions options, RedisAddress node, TlsClient tls, TimeProvider time)
    {
        var rows = new List<CheckRow>();
        var step = "connect";
        try
        {
            await using var redis = await RedisWire.ConnectAsync(node, tls, options.ConnectTimeout, time);
            rows.Add(new CheckRow(CheckOutcome.Works, step, "a connection is accepted"));
            if (redis.Secure is { } secure) rows.Add(TlsRow.Of(secure, tls.Files, time.GetUtcNow()));
            step = "commands";
            var check = new UpstreamCheck(options, node, redis, rows);
            try
            {
                if (await check.LoginAsync()) await check.PermissionsAsync();
            }
            catch (IOException e) when (!node.IsTls && !redis.HasAnswered)
            {
                throw new IOException(PlainFault.Explain(e.Message, node, redis.HasAnswered), e);
            }
        }
        catch (IOException e) when (node.IsTls && HandshakeFault.Describe(e, tls.Files) is { } fault)
        {
            rows.Add(new CheckRow(CheckOutcome.Fails, TlsRow.Name, fault));
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            var finding = e is OperationCanceledException ? $"no answer within {options.ConnectTimeout.TotalSeconds} seconds" : e.Message;
            rows.Add(new CheckRow(CheckOutcome.Fails, step, finding, "check --upstream, that Redis runs there, and what stands between (firewall, maxclients, protected-mode, bind)"));
        }
        return rows;
    }

    /// <summary>False when nothing more can be tried.</summary>
    private async Task<bool> LoginAsync()
    {
        var address = _node;
        if (address.Password?.Value is { } password)
        {
            var login = address.User is { } user ? await _redis.CallAsync("AUTH", user, password) : await _redis.CallAsync("AUTH", password);
            if (login.IsError)
            {
                return Add(CheckOutcome.Fails, "log in", login.Text, "check user and password in --upstream, or --upstream-password-file");
            }

            Add(CheckOutcome.Works, "log in", $"as user {User}");
        }
        var ping = await _redis.CallAsync("PING");
        if (ping.Begins("NOAUTH"))
        {
            return Add(CheckOutcome.Fails, "log in", ping.Text, "give user and password in --upstream, or --upstream-password-file");
        }

        // Loading, a busy script, a user without PING: Redis is there, and the other trials say more.
        return ping.IsError && !ping.IsRefused
            ? Add(CheckOutcome.Fails, "PING", ping.Text, "wait until Redis can serve, then check again")
            : Add(CheckOutcome.Works, "PING", ping.IsRefused ? "Redis answers, but this user may not PING" : "Redis answers");
    }

    private async Task PermissionsAsync()
    {
        await VersionAsync();
        await RoleAsync();
        await InterceptionAsync();
        await NotifyFlagsAsync();
        await FallbackAsync();
        await StateAsync();
        await EvictionAsync();
        await PublishAsync();
        await ForgeryCheck.RunAsync(_redis, _rows);
        await SubscribeAsync(); // last: a subscribed RESP2 connection takes few other commands
        if (_options.MergeKeyspace) await MergedSubscriptionsAsync();
    }

    private async Task VersionAsync()
    {
        var hello = await _redis.CallAsync("HELLO", "2");
        var version = Field(hello, "version");
        if (hello.IsUnknownCommand)
        {
            Add(CheckOutcome.Fails, "version", "older than 6, which does not know HELLO", "KeyEvt needs Redis 6 or newer");
        }
        else if (version is null)
        {
            Add(CheckOutcome.Fails, "version", hello.Text, Grant("+hello"));
        }
        else if (!int.TryParse(version.Split('.')[0], out var major) || major < 6)
        {
            Add(CheckOutcome.Fails, "version", version, "KeyEvt needs Redis 6 or newer");
        }
        else
        {
            Add(CheckOutcome.Works, "version", $"{Field(hello, "server")} {version}");
        }

        var info = await _redis.CallAsync("INFO", "server");
        var valkey = info.IsError ? "" : InfoField(info.Text, "valkey_version");
        _server = valkey.Length > 0 ? ServerEvents.Of("valkey", valkey) : ServerEvents.Of(Field(hello, "server") ?? "", version ?? "");
        if (Field(hello, "mode") is "cluster" && _isAlone)
        {
            Add(CheckOutcome.Warning, "mode", "a node of a cluster: only this node's events would be heard", "use redis+cluster:// for those of all nodes, or one keyevt for each node");
        }
    }

    private async Task RoleAsync()
    {
        var role = await _redis.CallAsync("ROLE");
        if (role.IsError)
        {
            Add(CheckOutcome.Warning, "role", role.Text, $"{Grant("+role")}: without it a demoted master is not noticed");
        }
        else if (role.Items is [{ Text: "master" }, ..])
        {
            Add(CheckOutcome.Works, "role", "master");
        }
        else if (!_isAlone)
        {
            Add(CheckOutcome.Works, "role", "replica: its events are held back until it is promoted");
        }
        else
        {
            Add(CheckOutcome.Warning, "role", $"{(role.Items.Count > 0 ? role.Items[0].Text : "unknown")}: events of a replica are held back until it is a master", "name the master in --upstream, or use redis+sentinel://");
        }
    }

    /// <summary>The place of a reply is found by the echo of an unknown command's name.</summary>
    private async Task InterceptionAsync()
    {
        var name = "key_evt_amqp." + RandomNumberGenerator.GetString("0123456789", 38);
        var reply = await _redis.CallAsync(name);
        if (reply.IsUnknownCommand && reply.Text.Contains(name, StringComparison.Ordinal))
        {
            Add(CheckOutcome.Works, "key_evt_amqp.*", "can be answered by the proxy: an unknown command's name is echoed");
        }
        else
        {
            Add(CheckOutcome.Fails, "key_evt_amqp.*", $"cannot be answered by the proxy: an unknown command is answered with {Printable.Quote(reply.Text)}", "configure by options only, or use an upstream that echoes the name of an unknown command");
        }
    }

    private async Task NotifyFlagsAsync()
    {
        var get = await _redis.CallAsync("CONFIG", "GET", FlagsParameter);
        // An unknown parameter: whoever may use CONFIG SET gets to know that, and nothing is set.
        var set = await _redis.CallAsync("CONFIG", "SET", "keyevt-check", "1");
        var exists = !get.IsUnknownCommand;
        var mayRead = !get.IsError && get.Items.Count == 2;
        var maySet = !set.IsRefused && !set.IsUnknownCommand;

        if (!exists && _options.AdminUsers.Count == 0)
        {
            Add(CheckOutcome.Warning, "who may control", "nobody: there is no CONFIG command to be allowed", "name the users that may use key_evt_amqp.* in --admin-users");
        }
        else
        {
            Add(CheckOutcome.Works, "who may control", exists ? "to read: whoever may use CONFIG GET; to change: whoever may use CONFIG SET" : $"the users of --admin-users: {string.Join(", ", _options.AdminUsers)}");
        }

        if (_options.NotifyMode == NotifyMode.Off)
        {
            Add(CheckOutcome.Note, FlagsParameter, "not looked at: --notify-config is off");
            return;
        }
        var lacking = NotifyFlags.List(_server.Meant(Wanted) & ~_server.Known);
        if (lacking.Length > 0)
        {
            Add((Needed & ~EventClass.Fields) == EventClass.None ? CheckOutcome.Fails : CheckOutcome.Warning, "event flags", $"{_server.Name} has no '{lacking}': those events do not exist there", "leave them out of --events and --rule, or accept that all others are forwarded without them");
        }

        var letters = NotifyFlags.Format(Needed, _server.All) + "E";
        if (!mayRead)
        {
            Add(CheckOutcome.Warning, FlagsParameter, $"cannot be read: {get.Text}", $"see to it that it holds {letters} and start with --notify-config off, or {Grant("+config|get +config|set")}");
            return;
        }
        var current = get.Items[1].Text;
        if (NotifyFlags.Covers(current, Needed, _server.All))
        {
            Add(CheckOutcome.Works, FlagsParameter, $"{Printable.Quote(current)} covers {letters}");
        }
        else if (_options.NotifyMode == NotifyMode.Verify)
        {
            Add(CheckOutcome.Fails, FlagsParameter, $"{Printable.Quote(current)} does not cover {letters}", $"add the missing flags there, or start with --notify-config manage");
        }
        else if (maySet)
        {
            Add(CheckOutcome.Works, FlagsParameter, $"{Printable.Quote(current)}: what is missing for {letters} will be added at start");
        }
        else
        {
            Add(CheckOutcome.Fails, FlagsParameter, $"{Printable.Quote(current)} does not cover {letters}, and may not be set: {set.Text}", $"{Grant("+config|set")}, or set the flags where Redis is configured");
        }
    }

    private async Task FallbackAsync()
    {
        if (_options.Forwarding.FallbackStorageSize < 0)
        {
            Add(CheckOutcome.Note, "fallback storage", "off: while the broker is away, events are kept in memory only");
            return;
        }
        // Rights are looked at before slots are.
        var isCluster = _options.Upstream.Shape == UpstreamShape.Cluster;
        var keys = isCluster ? FallbackKey.Name + "*" : FallbackKey.Name;
        var reply = await _redis.CallAsync("EVAL", FallbackScript, "1", isCluster ? FallbackKey.In(0) : FallbackKey.Name);
        if (reply.Begins("MOVED") && !_isAlone)
        {
            Add(CheckOutcome.Note, "fallback storage", "this master's own list is another one than that which was tried; EVAL and its keys are allowed");
        }
        else if (reply.IsError || reply.Items.Count < 2)
        {
            Add(CheckOutcome.Fails, "fallback storage", reply.Text, $"{Grant($"+eval +evalsha +script|load +llen +lindex +rpush +ltrim ~{keys}")}, or switch it off with --fallback-storage-size -1");
        }
        else if (reply.Items[1].Text is { Length: > 0 } missing)
        {
            Add(CheckOutcome.Fails, "fallback storage", $"not allowed: {missing}", $"{Grant($"+{missing.ToLowerInvariant().Replace(" ", " +", StringComparison.Ordinal)} ~{keys}")}, or switch it off with --fallback-storage-size -1");
        }
        else
        {
            Add(CheckOutcome.Works, "fallback storage", isCluster ? "may be used" : $"may be used; it holds {reply.Items[0].Text} events");
        }
    }

    /// <summary>NX and XX contradict each other: who may SET gets to know that, and nothing is set. Rights are looked at before slots are.</summary>
    private async Task StateAsync()
    {
        const string What = "state";
        if (!_options.KeepState)
        {
            Add(CheckOutcome.Note, What, "off: what is missed while keyevt does not run is not known at the next start");
            return;
        }
        var key = FallbackKey.StateOf(_options.NamedInstance);
        var get = await _redis.CallAsync("GET", key);
        var set = await _redis.CallAsync("SET", key, "x", "NX", "XX");
        if (get.IsRefused || set.IsRefused)
        {
            Add(CheckOutcome.Warning, What, (get.IsRefused ? get : set).Text, $"{Grant($"+get +set ~{key}*")}, or start with --state off: else what is missed while keyevt does not run is not declared");
        }
        else
        {
            Add(CheckOutcome.Works, What, "may be kept");
        }
    }

    /// <summary>allkeys-* throws out keys without a time limit too, and the fallback list is one.</summary>
    private async Task EvictionAsync()
    {
        if (_options.Forwarding.FallbackStorageSize < 0) return;
        var info = await _redis.CallAsync("INFO", "memory");
        if (info.IsError)
        {
            Add(CheckOutcome.Note, "eviction", $"cannot be read: {info.Text}");
            return;
        }
        string policy = InfoField(info.Text, "maxmemory_policy"), limit = InfoField(info.Text, "maxmemory");
        if (policy.StartsWith("allkeys", StringComparison.Ordinal) && limit != "0")
        {
            Add(CheckOutcome.Warning, "eviction", $"{policy} with maxmemory {limit} may evict the fallback storage", "use noeviction or a volatile- policy, or accept that stored events may be lost");
        }
        else
        {
            Add(CheckOutcome.Works, "eviction", $"{policy}, maxmemory {(limit == "0" ? "unlimited" : limit)}: the fallback storage is not evicted");
        }
    }

    private async Task PublishAsync()
    {
        const string Without = "without it a silent loss of the subscription is noticed later";
        var channel = _markers.Name;
        if (_markers.IsShard && await _redis.CallAsync("READONLY") is { IsRefused: true } refused)
        {
            Add(CheckOutcome.Warning, "markers", refused.Text, $"{Grant("+readonly")}: {Without} on replicas");
        }

        // Markers are "<instance>:<n>"; feeds pass over what is not their own. MOVED and its like are said by nodes that would take it for another slot.
        var publish = await _redis.CallAsync(_markers.PublishCommand, channel, "keyevt-check:0");
        if (publish.IsUnknownCommand)
        {
            Add(CheckOutcome.Note, "markers", "are PINGs: sharded channels came with Redis 7");
        }
        else if (publish.IsError && (publish.IsRefused || !_markers.IsShard))
        {
            Add(CheckOutcome.Warning, "markers", publish.Text, $"{Grant(MarkerRights)}: {Without}");
        }
        else
        {
            Add(CheckOutcome.Works, "markers", $"may be published on {channel}");
        }
    }

    private async Task SubscribeAsync()
    {
        var refused = new HashSet<string>();
        var patterns = FeedPatterns.Of(Needed, _server.Classes, refused);
        for (var i = 0; i < patterns.Count; i++)
        {
            var pattern = patterns[i];
            var reply = await _redis.CallAsync("PSUBSCRIBE", pattern);
            if (!reply.IsError)
            {
                Add(CheckOutcome.Works, "subscribe", pattern);
            }
            else if (pattern == FeedPatterns.Fields)
            {
                Add(CheckOutcome.Warning, "subscribe", reply.Text, $"{Grant($"&{pattern}")}: without it events come without the fields of hashes");
            }
            else if (pattern == FeedPatterns.All)
            {
                Add(CheckOutcome.Fails, "subscribe", reply.Text, Grant($"+psubscribe &{pattern}"));
            }
            else
            {
                refused.Add(pattern); // then all are subscribed to, as the feed does
                (patterns, i) = (FeedPatterns.Of(Needed, _server.Classes, refused), -1);
            }
        }

        var marker = await _redis.CallAsync(_markers.SubscribeCommand, _markers.Name);
        if (marker.IsError && (marker.IsRefused || !_markers.IsShard))
        {
            Add(CheckOutcome.Warning, "subscribe", $"{_markers.Name}: {marker.Text}", Grant(MarkerRights));
        }
    }

    /// <summary>What clients will ask for is not known; what is usual is tried, as the proxy says it to the other masters.</summary>
    private async Task MergedSubscriptionsAsync()
    {
        const string What = "merged streams", Pattern = "__keyspace@*__:*", Channel = "__keyevent@0__:expired";
        foreach (var (command, name) in ((string, string)[])[("PSUBSCRIBE", Pattern), ("SUBSCRIBE", Channel), ("PUNSUBSCRIBE", Pattern), ("UNSUBSCRIBE", Channel)])
        {
            var reply = await _redis.CallAsync(command, name);
            if (!reply.IsError) continue;
            Add(CheckOutcome.Warning, What, $"{command} {name}: {reply.Text}", $"{Grant("+subscribe +psubscribe +unsubscribe +punsubscribe +ping &*")}, or instead of &* the very channels and patterns that clients ask for");
            return;
        }

        Add(CheckOutcome.Works, What, $"{Pattern} and the like may be subscribed to");
    }

    private bool Add(CheckOutcome outcome, string what, string finding, string? remedy = null)
    {
        _rows.Add(new CheckRow(outcome, what, finding, remedy));
        return outcome != CheckOutcome.Fails;
    }

    private string Grant(string rules) => $"ACL SETUSER {User} {rules}";

    private static string? Field(RedisReply flat, string name)
    {
        for (var i = 0; i + 1 < flat.Items.Count; i += 2)
        {
            if (flat.Items[i].Text == name) return flat.Items[i + 1].Text;
        }
        return null;
    }

    private static string InfoField(string info, string name) =>
        info.Split('\n').FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal))?[(name.Length + 1)..].Trim() ?? "";
}
