using System.Security.Cryptography;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Proxy.Options;
using KeyEvt.Proxy.Text;

namespace KeyEvt.Proxy.Check;

/// <summary>Does one upstream Redis allow what sessions, interception, the feed and the fallback storage do? Changes nothing there.</summary>
internal static class UpstreamCheck
{
    /// <param name="node">The node that the user named, or one that was found behind that name.</param>
    public static async Task<IReadOnlyList<CheckRow>> RunAsync(ProxyOptions options, RedisAddress node, TlsClient tls, TimeProvider time)
    {
        var rows = new List<CheckRow>();
        var step = "connect";
        try
        {
            await using var redis = await RedisClient.ConnectAsync(node, new SocketRedisTransport(time, tls), options.Server.Deadlines.Connect, time);
            rows.Add(new CheckRow(CheckOutcome.Works, step, "a connection is accepted"));
            if (redis.Tls is { } secure) rows.Add(TlsRow.Of(secure, tls.Files, time.GetUtcNow()));
            step = "commands";
            var target = new CheckTarget(options, node, redis, rows);
            if (await LoginAsync(target)) await PermissionsAsync(target);
        }
        catch (IOException e) when (node.IsTls && HandshakeFault.Describe(e, tls.Files) is { } fault)
        {
            rows.Add(new CheckRow(CheckOutcome.Fails, TlsRow.Name, fault));
        }
        catch (IOException e)
        {
            rows.Add(new CheckRow(CheckOutcome.Fails, step, e.Message, "check --upstream, that Redis runs there, and what stands between (firewall, maxclients, protected-mode, bind)"));
        }
        return rows;
    }

    /// <summary>Logs in. False when that failed, and so nothing more can be tried.</summary>
    private static async Task<bool> LoginAsync(CheckTarget target)
    {
        var address = target.Node;
        if (address.Password?.Value is { } password)
        {
            var login = address.User is { } user ? await target.Redis.AskAsync("AUTH", user, password) : await target.Redis.AskAsync("AUTH", password);
            if (login.IsError)
            {
                return target.Add(CheckOutcome.Fails, "log in", login.Text, "check user and password in --upstream, or --upstream-password-file");
            }

            target.Add(CheckOutcome.Works, "log in", $"as user {target.User}");
        }
        var ping = await target.Redis.AskAsync("PING");
        if (ping.ErrorCode == "NOAUTH")
        {
            return target.Add(CheckOutcome.Fails, "log in", ping.Text, "give user and password in --upstream, or --upstream-password-file");
        }

        // A Redis that loads, runs a script, or refuses PING to this user is there all the same. The other trials say more.
        return ping.IsError && !ping.IsNoPermission
            ? target.Add(CheckOutcome.Fails, "PING", ping.Text, "wait until Redis can serve, then check again")
            : target.Add(CheckOutcome.Works, "PING", ping.IsNoPermission ? "Redis answers, but this user may not PING" : "Redis answers");
    }

    private static async Task PermissionsAsync(CheckTarget target)
    {
        await VersionAsync(target);
        await RoleAsync(target);
        await InterceptionAsync(target);
        await NotifyFlagsCheck.RunAsync(target);
        await StorageCheck.RunAsync(target);
        await SubscriptionCheck.PublishAsync(target);
        await ForgeryCheck.RunAsync(target.Redis, target.Rows);
        await SubscriptionCheck.SubscribeAllAsync(target);
    }

    private static async Task VersionAsync(CheckTarget target)
    {
        var hello = await target.Redis.AskAsync("HELLO", "2");
        var version = hello.Find("version");
        if (hello.IsUnknownCommand)
        {
            target.Add(CheckOutcome.Fails, "version", "older than 6, which does not know HELLO", "KeyEvt needs Redis 6 or newer");
        }
        else if (version is null)
        {
            target.Add(CheckOutcome.Fails, "version", hello.Text, target.Grant("+hello"));
        }
        else if (!int.TryParse(version.Split('.')[0], out var major) || major < 6)
        {
            target.Add(CheckOutcome.Fails, "version", version, "KeyEvt needs Redis 6 or newer");
        }
        else
        {
            target.Add(CheckOutcome.Works, "version", $"{hello.Find("server")} {version}");
        }

        var info = await target.Redis.AskAsync("INFO", "server");
        var valkey = info.IsError ? null : InfoText.Find(info.Text, "valkey_version");
        target.Server = valkey is not null ? ServerEvents.Of("valkey", valkey) : ServerEvents.Of(hello.Find("server") ?? "", version ?? "");
        if (hello.Find("mode") is not "cluster" || !target.IsAlone) return;

        target.IsInCluster = true;
        target.Add(CheckOutcome.Warning, "mode", "a node of a cluster: only this node's events are heard", "use redis+cluster:// for those of all nodes, or one keyevt for each node");
        var nodes = await target.Redis.AskAsync("CLUSTER", "NODES");
        if (nodes.IsError)
        {
            target.Add(CheckOutcome.Fails, "slots", nodes.Text, $"{target.Grant("+cluster|nodes")}: without it nothing can be kept in this node while the broker is away");
        }
    }

    private static async Task RoleAsync(CheckTarget target)
    {
        var role = await target.Redis.AskAsync("ROLE");
        if (role.IsError)
        {
            target.Add(CheckOutcome.Warning, "role", role.Text, $"{target.Grant("+role")}: without it a demoted master is not noticed");
        }
        else if (role.Items is [{ Text: "master" }, ..])
        {
            target.Add(CheckOutcome.Works, "role", "master");
        }
        else if (!target.IsAlone)
        {
            target.Add(CheckOutcome.Works, "role", "replica: its events are held back until it is promoted");
        }
        else
        {
            target.Add(CheckOutcome.Warning, "role", $"{(role.Items.Count > 0 ? role.Items[0].Text : "unknown")}: events of a replica are held back until it is a master", "name the master in --upstream, or use redis+sentinel://");
        }
    }

    /// <summary>Does Redis repeat the name of an unknown command? By that the proxy finds the place of its own replies.</summary>
    private static async Task InterceptionAsync(CheckTarget target)
    {
        var name = "key_evt_amqp." + RandomNumberGenerator.GetString("0123456789", 38);
        var reply = await target.Redis.AskAsync(name);
        if (reply.IsUnknownCommand && reply.Text.Contains(name, StringComparison.Ordinal))
        {
            target.Add(CheckOutcome.Works, "key_evt_amqp.*", "can be answered by the proxy: an unknown command's name is echoed");
        }
        else
        {
            target.Add(CheckOutcome.Fails, "key_evt_amqp.*", $"cannot be answered by the proxy: an unknown command is answered with {Printable.Quote(reply.Text)}", "configure by options only, or use an upstream that echoes the name of an unknown command");
        }
    }
}
