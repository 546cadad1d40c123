// What does the way through the proxy cost, beside the straight way and other proxies?
using System.Globalization;
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>
/// redis-benchmark in several shapes, by each way in turn within each round, so that what else the machine does falls on all of them. CPU is the
/// process' user and system time from /proc, divided by the requests made.
/// </summary>
internal sealed class ProxyScenario : IScenario
{
    /// <summary>The runtime replaces what runs often by better compiled code; that takes a while and is not what is measured.</summary>
    private const int WarmUps = 3;

    public string Name => "proxy";

    public string Meaning => "redis-benchmark straight, through keyevt (both transports), HAProxy, twemproxy and a bare copier in C: requests a second, latency, CPU per request";

    public async Task<string> RunAsync(LoadSettings settings)
    {
        var shapes = settings.Shapes?.Split(',').Select(LoadShape.Parse).ToList() ?? LoadShape.All;
        await using var redis = await RedisServer.StartAsync();
        await using var ways = await Ways.StartAsync(redis, settings);
        var runs = new List<ProxyRun>();
        for (var round = 1 - WarmUps; round <= settings.Rounds; round++)
        {
            foreach (var shape in shapes)
            {
                foreach (var way in ways.All)
                {
                    var now = round > 0 ? shape : shape.WarmUp;
                    var run = await ProxyRun.MeasureAsync(way, redis, now, now.Requests(settings.Requests));
                    Console.Error.WriteLine($"{(round <= 0 ? "warm-up" : "round " + round)}: {run}");
                    if (round > 0) runs.Add(run);
                }
            }
        }
        return Table(runs);
    }

    private static string Table(List<ProxyRun> runs)
        => Figures.Table(
            ["shape", "way", "SET/s", "GET/s", "p50 ms", "p99 ms", "CPU us/request (min-max)", "of HAProxy's", "Redis CPU us/request", "resident MB"],
            runs.GroupBy(run => (run.Shape, run.Way)).OrderBy(group => runs.FindIndex(run => run.Shape == group.Key.Shape)).Select(group => (string[])
            [
                group.Key.Shape.ToString(),
                group.Key.Way,
                Text(group, run => run.SetsPerSecond, "0"),
                Text(group, run => run.GetsPerSecond, "0"),
                Text(group, run => run.P50, "0.000"),
                Text(group, run => run.P99, "0.000"),
                group.Any(run => run.CpuMicroseconds is null) ? "-" : Figures.WithSpread([.. group.Select(run => run.CpuMicroseconds!.Value)], "0.00"),
                Ratio(runs, group),
                Text(group, run => run.RedisCpuMicroseconds, "0.00"),
                group.Any(run => run.ResidentMegabytes is null) ? "-" : Text(group, run => run.ResidentMegabytes!.Value, "0"),
            ]));

    private static string Ratio(List<ProxyRun> runs, IGrouping<(LoadShape Shape, string Way), ProxyRun> group)
    {
        var other = runs.Where(run => run.Shape == group.Key.Shape && run.Way.StartsWith("HAProxy", StringComparison.Ordinal)).Select(run => run.CpuMicroseconds ?? 0).ToList();
        if (other.Count == 0 || group.Any(run => run.CpuMicroseconds is null)) return "-";
        return (Figures.Median(group.Select(run => run.CpuMicroseconds!.Value)) / Figures.Median(other)).ToString("0.00", CultureInfo.InvariantCulture);
    }

    private static string Text(IEnumerable<ProxyRun> runs, Func<ProxyRun, double> value, string format)
        => Figures.Median(runs.Select(value)).ToString(format, CultureInfo.InvariantCulture);
}
