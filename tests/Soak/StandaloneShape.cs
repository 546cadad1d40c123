using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;

namespace KeyEvt.Soak;

/// <summary>One Redis, with an AOF in every other run: then a restart replays it, and what is stored outlives it.</summary>
internal sealed class StandaloneShape : SoakShape
{
    private readonly RedisServer _redis;

    private StandaloneShape(RedisServer redis)
    {
        _redis = redis;
        Faults =
        [
            .. FeedFaults,
            new("R1 R16 Redis killed", FaultSide.Feed, (_, _) => _redis.RestartAsync()) { StopsRedis = true },
            new("Redis frozen", FaultSide.Feed, async (_, random) =>
            {
                _redis.Freeze();
                await SoakFaults.HoldAsync(random, 10);
                _redis.Thaw();
            }) { StopsRedis = true },
            new("R9 fallback refused (OOM)", FaultSide.Broker, async (stage, random) =>
            {
                await _redis.CallAsync("CONFIG", "SET", "maxmemory", "1mb");
                stage.Relay.Cut();
                await SoakFaults.HoldAsync(random, 5);
                await _redis.CallAsync("CONFIG", "SET", "maxmemory", "0");
                stage.Relay.Accept();
            }),
            new("R11 FLUSHALL of the fallback", FaultSide.Broker, async (stage, random) =>
            {
                stage.Relay.Cut();
                await stage.StoredAsync(random.Next(100, 2000));
                await _redis.CallAsync("FLUSHALL");
                await SoakFaults.HoldAsync(random, 1);
                stage.Relay.Accept();
            }),
        ];
    }

    public override string Url => _redis.Url;

    public override IReadOnlyList<SoakFault> Faults { get; }

    protected override double MostBusy => 10;

    public static async Task<SoakShape> StartAsync(bool isAppending) => new StandaloneShape(await RedisServer.StartAsync(isAppending ? ["appendonly yes"] : []));

    public override FaultRun Start(IReadOnlyList<KeyEvtProcess> programs, EventConsumer consumer)
    {
        var through = new WriterSetting(programs[0].Port) { KeyLife = KeyLife };
        var slowly = new WriterSetting(programs[^1].Port) { KeyLife = KeyLife, Pipeline = 1, Rate = 100 };
        return FaultRun.Start(programs, _redis, consumer, through, slowly, through with { EvenWhenFull = true }, new WriterSetting(_redis.Port) { KeyLife = KeyLife });
    }

    public override bool IsCovered(IReadOnlyDictionary<string, string> info) => true;

    /// <summary>FLUSHALL and restarts take keys, and no event for that.</summary>
    public override Task<bool> HasAsync(string key) => Task.FromResult(true);

    protected override Task<IReadOnlyList<RedisServer>> MastersAsync() => Task.FromResult<IReadOnlyList<RedisServer>>([_redis]);

    public override ValueTask DisposeAsync() => _redis.DisposeAsync();
}
