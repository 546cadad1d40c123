using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;

namespace KeyEvt.Soak;

/// <summary>A master and two replicas, watched by three Sentinels.</summary>
/// <remarks>No freezing: a frozen master that is replaced takes writes in the moment of its return, which are gone from Redis too; a row of its own looks at that.</remarks>
internal sealed class SentinelShape : SoakShape
{
    private static readonly TimeSpan Switch = TimeSpan.FromSeconds(60);

    private readonly SentinelServers _redis;

    private SentinelShape(SentinelServers redis)
    {
        _redis = redis;
        Faults =
        [
            .. FeedFaults,
            new("R2 master killed, back as a replica", FaultSide.Feed, async (_, random) =>
            {
                var old = await MasterAsync();
                await old.KillAsync();
                await _redis.FailedOverAsync(old);
                await SoakFaults.HoldAsync(random, 3);
                await old.RestartAsync();
                await ReplicasAsync();
            }),
            new("R2 SENTINEL FAILOVER", FaultSide.Feed, async (_, _) =>
            {
                await _redis.FailoverAsync();
                await ReplicasAsync();
            }),
            new("a replica killed", FaultSide.Feed, async (_, random) =>
            {
                var master = await MasterAsync();
                var replica = _redis.Nodes.First(node => node != master);
                await replica.KillAsync();
                await SoakFaults.HoldAsync(random, 3);
                await replica.RestartAsync();
                await ReplicasAsync();
            }),
        ];
    }

    public override string Url => _redis.Url;

    public override IReadOnlyList<SoakFault> Faults { get; }

    public static async Task<SoakShape> StartAsync() => new SentinelShape(await SentinelServers.StartAsync());

    public override FaultRun Start(IReadOnlyList<KeyEvtProcess> programs, EventConsumer consumer)
    {
        var through = new WriterSetting(programs[0].Port) { KeyLife = KeyLife };
        var slowly = new WriterSetting(programs[^1].Port) { KeyLife = KeyLife, Pipeline = 1, Rate = 100 };
        var straight = new WriterSetting(0) { KeyLife = KeyLife, FindPort = async () => (await MasterAsync()).Port };
        return FaultRun.Start(programs, async () => await FallbackList.OnAsync(await MastersAsync()), consumer, through, slowly, straight);
    }

    public override bool IsCovered(IReadOnlyDictionary<string, string> info) => Nodes(info, "state=subscribed") == 1 && Nodes(info, "state=held_back") == 2;

    public override async Task<bool> HasAsync(string key) => (await (await MasterAsync()).CallAsync("EXISTS", key)).Integer == 1;

    public override ValueTask DisposeAsync() => _redis.DisposeAsync();

    protected override async Task<IReadOnlyList<RedisServer>> MastersAsync() => [await MasterAsync()];

    private async Task<RedisServer> MasterAsync() => await _redis.MasterAsync() ?? throw new IOException("there is no master");

    /// <summary>Until both others follow the master again: otherwise the next fault finds nobody to promote.</summary>
    private Task ReplicasAsync() => Eventually.TrueAsync("two replicas in step", async () =>
    {
        var master = await MasterAsync();
        foreach (var node in _redis.Nodes.Where(node => node != master))
        {
            if (!(await node.CallAsync("INFO", "replication")).Text.Contains("master_link_status:up", StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }, Switch);
}
