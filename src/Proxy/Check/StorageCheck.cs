using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Proxy.Check;

/// <summary>May KeyEvt store events and its own state in Redis, and do they stay there?</summary>
internal static class StorageCheck
{
    // This script only asks whether the commands of the fallback storage are allowed. acl_check_cmd exists from Redis 7 on.
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

    public static async Task RunAsync(CheckTarget target)
    {
        await FallbackAsync(target);
        await StateAsync(target);
        await ConfigAsync(target);
        await EvictionAsync(target);
    }

    private static async Task FallbackAsync(CheckTarget target)
    {
        if (target.Options.Forwarder.Initial.FallbackStorageSize < 0)
        {
            target.Add(CheckOutcome.Note, "fallback storage", "off: while the broker is away, events are kept in memory only");
            return;
        }
        // Redis checks the rights first, and only then whether this node serves the key's slot.
        var isCluster = target.Options.Forwarder.Upstream.Shape == UpstreamShape.Cluster;
        var keys = isCluster ? FallbackKey.Name + "*" : FallbackKey.Name;
        var reply = await target.Redis.AskAsync("EVAL", FallbackScript, "1", isCluster ? FallbackKey.In(0) : FallbackKey.Name);
        if (reply.ErrorCode == "MOVED" && !target.IsAlone)
        {
            target.Add(CheckOutcome.Note, "fallback storage", "this master's own list is another one than that which was tried; EVAL and its keys are allowed");
        }
        else if (reply.IsError || reply.Items.Count < 2)
        {
            target.Add(CheckOutcome.Fails, "fallback storage", reply.Text, $"{target.Grant($"+eval +evalsha +script|load +llen +lindex +rpush +ltrim ~{keys}")}, or switch it off with --fallback-storage-size -1");
        }
        else if (reply.Items[1].Text is { Length: > 0 } missing)
        {
            target.Add(CheckOutcome.Fails, "fallback storage", $"not allowed: {missing}", $"{target.Grant($"+{missing.ToLowerInvariant().Replace(" ", " +", StringComparison.Ordinal)} ~{keys}")}, or switch it off with --fallback-storage-size -1");
        }
        else
        {
            target.Add(CheckOutcome.Works, "fallback storage", isCluster ? "may be used" : $"may be used; it holds {reply.Items[0].Text} events");
        }
    }

    /// <summary>
    /// Checks the rights to GET and SET. NX and XX contradict each other, so this SET sets nothing: a user with the right to it gets a syntax error.
    /// Redis checks the rights before the slot.
    /// </summary>
    private static async Task StateAsync(CheckTarget target)
    {
        const string What = "state";
        if (target.Options.Forwarder.StateKey is not { } key)
        {
            target.Add(CheckOutcome.Note, What, "off: what is missed while keyevt does not run is not known at the next start");
            return;
        }
        var get = await target.Redis.AskAsync("GET", key);
        var set = await target.Redis.AskAsync("SET", key, "x", "NX", "XX");
        if (get.IsNoPermission || set.IsNoPermission)
        {
            target.Add(CheckOutcome.Warning, What, (get.IsNoPermission ? get : set).Text, $"{target.Grant($"+get +set ~{key}*")}, or start with --state off: else what is missed while keyevt does not run is not declared");
        }
        else
        {
            target.Add(CheckOutcome.Works, What, "may be kept");
        }
    }

    /// <summary>Checks the rights to the key of the group's configuration, in the same way. It is written by a script.</summary>
    private static async Task ConfigAsync(CheckTarget target)
    {
        const string What = "configuration of the group";
        if (target.Options.Forwarder.ConfigKey is not { } key) return;
        foreach (var command in (string[][])[["GET", key], ["SET", key, "x", "NX", "XX"], ["EVAL", "return redis.call('GET', KEYS[1])", "1", key]])
        {
            var reply = await target.Redis.AskAsync(command);
            if (!reply.IsNoPermission) continue;
            target.Add(CheckOutcome.Warning, What, reply.Text, $"{target.Grant($"+eval +evalsha +get +set ~{key}")}, or start with --config-store off: else commands that change something are refused");
            return;
        }
        target.Add(CheckOutcome.Works, What, "may be kept");
    }

    /// <summary>Warns if the policy is one of allkeys-*. They also evict keys without a time limit, and the fallback list is such a key.</summary>
    private static async Task EvictionAsync(CheckTarget target)
    {
        if (target.Options.Forwarder.Initial.FallbackStorageSize < 0) return;
        var info = await target.Redis.AskAsync("INFO", "memory");
        if (info.IsError)
        {
            target.Add(CheckOutcome.Note, "eviction", $"cannot be read: {info.Text}");
            return;
        }
        var (policy, limit) = (InfoText.Find(info.Text, "maxmemory_policy") ?? "", InfoText.Find(info.Text, "maxmemory") ?? "");
        if (policy.StartsWith("allkeys", StringComparison.Ordinal) && limit != "0")
        {
            target.Add(CheckOutcome.Warning, "eviction", $"{policy} with maxmemory {limit} may evict the fallback storage", "use noeviction or a volatile- policy, or accept that stored events may be lost");
        }
        else
        {
            target.Add(CheckOutcome.Works, "eviction", $"{policy}, maxmemory {(limit == "0" ? "unlimited" : limit)}: the fallback storage is not evicted");
        }
    }
}
