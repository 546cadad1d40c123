using System.Globalization;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;

namespace KeyEvt.Soak;

/// <summary>Three masters with a replica each, behind the node port.</summary>
/// <remarks>No freezing, as with Sentinel.</remarks>
internal sealed class ClusterShape : SoakShape
{
    private const int LastSlot = 16383;

    private readonly RedisClusterServers _redis;

    private ClusterShape(RedisClusterServers redis)
    {
        _redis = redis;
        Faults =
        [
            .. FeedFaults,
            new("R3 CLUSTER FAILOVER", FaultSide.Feed, async (_, random) => await _redis.FailoverAsync(await AnyAsync(random))),
            new("R3 CLUSTER FAILOVER TAKEOVER", FaultSide.Feed, async (_, random) => await _redis.TakeoverAsync(await AnyAsync(random))),
            new("R3 master killed, back as a replica", FaultSide.Feed, async (_, random) =>
            {
                var slot = random.Next(LastSlot + 1);
                var old = await _redis.MasterOfAsync(slot);
                await old.KillAsync();
                await _redis.FailedOverAsync(old, slot);
                await SoakFaults.HoldAsync(random, 3);
                await _redis.RestartAsync(old);
            }),
            new("R4 slots moved", FaultSide.Feed, async (_, random) =>
            {
                var from = await AnyAsync(random);
                var to = (await MastersAsync()).First(node => node != from);
                await _redis.ReshardAsync(from, to, random.Next(1, 100));
            }),
            new("R5 a node comes and goes", FaultSide.Feed, async (_, random) =>
            {
                var node = await _redis.AddNodeAsync();
                var first = await AnyAsync(random);
                await _redis.ReshardAsync(first, node, 20);
                await SoakFaults.HoldAsync(random, 2);
                await _redis.ReshardAsync(node, first, 20);
                await _redis.RemoveNodeAsync(node);
            }),
        ];
    }

    public override string Url => _redis.Url;

    public override IReadOnlyList<SoakFault> Faults { get; }

    public override string[] NewOptions() => ["--listen-base", FreePorts.TakeRange(12).ToString(CultureInfo.InvariantCulture)];

    public static async Task<SoakShape> StartAsync() => new ClusterShape(await RedisClusterServers.StartAsync());

    /// <summary>Two straight to the nodes, and two through the port of a cluster's nodes.</summary>
    public override FaultRun Start(IReadOnlyList<KeyEvtProcess> programs, EventConsumer consumer)
    {
        var straight = new WriterSetting(0) { KeyLife = KeyLife, Slots = async () => await _redis.LinesAsync() };
        var through = straight with { Slots = async () => ClusterLine.ParseAll((await programs[0].CallAsync("CLUSTER", "NODES")).Text) };
        var slowly = straight with { Pipeline = 1, Rate = 100, Slots = async () => ClusterLine.ParseAll((await programs[^1].CallAsync("CLUSTER", "NODES")).Text) };
        return FaultRun.Start(programs, async () => await FallbackList.OnAsync(await _redis.MastersAsync()), consumer, straight, straight with { Pipeline = 1, Rate = 100 }, through, slowly);
    }

    public override bool IsCovered(IReadOnlyDictionary<string, string> info) => Nodes(info, "state=subscribed") == 3 && Nodes(info, "state=held_back") == 3;

    public override async Task<bool> HasAsync(string key) => (await _redis.CallAsync("EXISTS", key)).Integer == 1;

    public override ValueTask DisposeAsync() => _redis.DisposeAsync();

    protected override Task<IReadOnlyList<RedisServer>> MastersAsync() => _redis.MastersAsync();
}
