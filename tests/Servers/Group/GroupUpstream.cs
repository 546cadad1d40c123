using KeyEvt.Servers.Oracle;

namespace KeyEvt.Servers.Group;

/// <summary>Before which Redis does a group stand, and how does a run write into it?</summary>
/// <param name="Start">Begins a run of these programs.</param>
internal sealed record GroupUpstream(string Url, Func<IReadOnlyList<KeyEvtProcess>, EventConsumer, WriterSetting[], FaultRun> Start, IAsyncDisposable? Owned)
{
    public RedisServer? Redis { get; init; }

    public SentinelServers? Sentinel { get; init; }

    public RedisClusterServers? Cluster { get; init; }

    public static GroupUpstream Of(RedisServer redis, bool owns) =>
        new(redis.Url, (programs, consumer, writers) => FaultRun.Start(programs, redis, consumer, writers), owns ? redis : null) { Redis = redis };

    /// <summary>Four writers write to the master of the moment.</summary>
    public static GroupUpstream Of(SentinelServers servers)
    {
        return new(servers.Url, Start, servers) { Sentinel = servers };

        FaultRun Start(IReadOnlyList<KeyEvtProcess> programs, EventConsumer consumer, WriterSetting[] writers) => FaultRun.Start(
            programs, async () => [new(await MasterAsync().ConfigureAwait(false), FallbackList.Name)], consumer,
            writers is [] ? [.. Enumerable.Range(0, 4).Select(_ => new WriterSetting(0) { FindPort = async () => (await MasterAsync().ConfigureAwait(false)).Port })] : writers);

        async Task<RedisServer> MasterAsync() => await servers.MasterAsync().ConfigureAwait(false) ?? throw new IOException("there is no master");
    }

    /// <summary>Four writers write over all slots.</summary>
    public static GroupUpstream Of(RedisClusterServers servers)
    {
        return new(servers.Url, Start, servers) { Cluster = servers };

        FaultRun Start(IReadOnlyList<KeyEvtProcess> programs, EventConsumer consumer, WriterSetting[] writers) => FaultRun.Start(
            programs, async () => await FallbackList.OnAsync(await servers.MastersAsync().ConfigureAwait(false)).ConfigureAwait(false), consumer,
            writers is [] ? [.. Enumerable.Range(0, 4).Select(_ => new WriterSetting(0) { Slots = async () => await servers.LinesAsync().ConfigureAwait(false) })] : writers);
    }
}
