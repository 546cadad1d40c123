namespace KeyEvt.Forwarder.Redis;

/// <summary>Which role does a node's answer name?</summary>
internal static class RoleReply
{
    /// <summary>The role in the answer to ROLE: an array whose first element is master, slave or sentinel (redis.io/commands/role).</summary>
    /// <exception cref="RedisFaultException">It is a Sentinel, which has no keys.</exception>
    public static NodeRole Of(RedisAnswer role) => role.Items.Count == 0 ? NodeRole.Unknown : Named(role.Items[0].Text);

    /// <summary>Whether a replica's link to its master is up: the fourth element is "connected".</summary>
    public static bool HasLink(RedisAnswer role) => role.Items.Count > 3 && role.Items[3].Text == "connected";

    /// <summary>The role for a word as ROLE, HELLO and INFO replication give it.</summary>
    public static NodeRole Named(string? word) => word switch
    {
        "master" => NodeRole.Master,
        "slave" or "replica" => NodeRole.Replica,
        "sentinel" => throw new RedisFaultException(RedisFaultKind.Refused, "this is a Sentinel, not a node with keys: name the node, or use a redis+sentinel:// address"),
        _ => NodeRole.Unknown,
    };
}
