using System.Globalization;

namespace KeyEvt.Servers.Oracle;

/// <summary>One list of stored events: on which node, under which key? In a cluster there may be several.</summary>
public sealed record FallbackList(RedisServer Node, string Key)
{
    /// <summary>The key, which in a cluster has a tag behind it.</summary>
    public const string Name = "REDIS_MODULE-key_evt_amqp-fallback_storage";

    /// <summary>Every one on these nodes.</summary>
    public static async Task<IReadOnlyList<FallbackList>> OnAsync(IReadOnlyList<RedisServer> nodes)
    {
        var found = new List<FallbackList>();
        foreach (var node in nodes)
        {
            found.AddRange((await node.CallAsync("KEYS", Name + "*").ConfigureAwait(false)).Texts.Where(key => key == Name || key.StartsWith(Name + "{", StringComparison.Ordinal)).Select(key => new FallbackList(node, key)));
        }

        return found;
    }

    public async Task<long> LengthAsync() => (await Node.ConnectAndCallAsync("LLEN", Key).ConfigureAwait(false)) is { IsError: false } reply ? reply.Integer : 0; // it may have moved meanwhile

    public async Task<IReadOnlyList<string>> LastAsync(int count) =>
        (await Node.ConnectAndCallAsync("LRANGE", Key, (-count).ToString(CultureInfo.InvariantCulture), "-1").ConfigureAwait(false)) is { IsError: false } reply ? reply.Texts : [];
}
