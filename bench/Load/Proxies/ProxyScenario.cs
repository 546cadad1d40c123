// What does the way through the proxy cost, beside the straight way and other proxies?
using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>
/// redis-benchmark with 50 clients, without pipelining and 16 deep, by each way in turn within each round, so that what else the machine does falls on
/// all of them. CPU is the proxy process' user and system time from /proc, divided by the requests made.
/// </summary>
internal sealed class ProxyScenario : IScenario
{
    private static readonly int[] Pipelines = [1, 16];

    public string Name => "proxy";

    public string Meaning => "redis-benchmark straight, through keyevt, HAProxy and twemproxy: requests a second, latency, CPU per request";

    public async Task<string> RunAsync(LoadSettings settings)
    {
        await using var redis = await RedisServer.StartAsync();
        var ways = new List<IWay>();
        try
        {
            ways.Add(new DirectWay(redis));
            ways.Add(await KeyEvtWay.StartAsync(redis));
            if (IsInstalled("haproxy"))
                ways.Add(await OtherProxyWay.StartHaProxyAsync(redis));
            if (IsInstalled("nutcracker"))
                ways.Add(await OtherProxyWay.StartTwemproxyAsync(redis));

            var runs = new List<ProxyRun>();
            for (var round = 0; round <= settings.Rounds; round++)
            {
                foreach (var pipeline in Pipelines)
                {
                    foreach (var way in ways)
                    {
                        var run = await ProxyRun.MeasureAsync(way, settings.Requests * (pipeline > 1 ? 10 : 1), pipeline);
                        Console.Error.WriteLine($"{(round == 0 ? "warm-up" : "round " + round)}: {run}");
                        if (round > 0)
                            runs.Add(run);
                    }
                }
            }
            return Table(runs);
        }
        finally
        {
            foreach (var way in ways)
                await way.DisposeAsync();
        }
    }

    private static string Table(List<ProxyRun> runs)
        => Figures.Table(
            ["pipeline", "way", "SET/s", "GET/s", "p50 ms", "p99 ms", "CPU us/request (min-max)", "resident MB"],
            runs.GroupBy(run => (run.Pipeline, run.Way)).OrderBy(group => group.Key.Pipeline).Select(group => (string[])
            [
                group.Key.Pipeline.ToString(CultureInfo.InvariantCulture),
                group.Key.Way,
                Text(group, run => run.SetsPerSecond, "0"),
                Text(group, run => run.GetsPerSecond, "0"),
                Text(group, run => run.P50, "0.000"),
                Text(group, run => run.P99, "0.000"),
                group.Any(run => run.CpuMicroseconds is null) ? "-" : Figures.WithSpread([.. group.Select(run => run.CpuMicroseconds!.Value)], "0.00"),
                group.Any(run => run.ResidentMegabytes is null) ? "-" : Text(group, run => run.ResidentMegabytes!.Value, "0"),
            ]));

    private static string Text(IEnumerable<ProxyRun> runs, Func<ProxyRun, double> value, string format)
        => Figures.Median(runs.Select(value)).ToString(format, CultureInfo.InvariantCulture);

    private static bool IsInstalled(string program)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Any(folder => File.Exists(Path.Combine(folder, program)));
        if (!found)
            Console.Error.WriteLine($"without {program}: it is not installed");
        return found;
    }
}
