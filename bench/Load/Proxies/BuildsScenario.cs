// Which build of the program is the best one: JIT, ReadyToRun or Native AOT?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>
/// The builds that scripts/builds.sh leaves in artifacts/builds, one folder each: milliseconds from the launch to the line that says it listens, resident
/// memory while idle, and then redis-benchmark by each build in turn within each round.
/// </summary>
internal sealed class BuildsScenario : IScenario
{
    private const int WarmUps = 3;
    private const int Starts = 5;
    private static readonly LoadShape[] Shapes = [new(50, 1, 32), new(50, 16, 32)];
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);

    public string Name => "builds";

    public string Meaning => "the builds in artifacts/builds (scripts/builds.sh): start to listening, idle memory, requests a second, CPU per request";

    public async Task<string> RunAsync(LoadSettings settings)
    {
        var files = Directory.GetDirectories("artifacts/builds").Order().Select(folder => (Name: Path.GetFileName(folder), File: Path.GetFullPath(Path.Combine(folder, "keyevt")))).Where(build => File.Exists(build.File)).ToList();
        await using var redis = await RedisServer.StartAsync();
        var starts = new Dictionary<string, (double Milliseconds, double Megabytes)>();
        foreach (var (name, file) in files) starts[name] = await StartAsync(redis, file);
        var ways = new List<IWay>();
        var runs = new List<ProxyRun>();
        try
        {
            foreach (var (name, file) in files) ways.Add(await KeyEvtWay.StartAsync(redis, name, file));
            for (var round = 1 - WarmUps; round <= settings.Rounds; round++)
            {
                foreach (var (shape, way) in Shapes.SelectMany(shape => ways.Select(way => (shape, way))))
                {
                    var run = await ProxyRun.MeasureAsync(way, redis, shape, shape.Requests(settings.Requests));
                    if (round > 0) runs.Add(run);
                }
            }
        }
        finally
        {
            foreach (var way in ways) await way.DisposeAsync();
        }

        return Figures.Table(
            ["build", "listens after ms", "idle MB", "P=1: SET/s", "p99 ms", "CPU us/request (min-max)", "P=16: SET/s", "p99 ms", "CPU us/request (min-max)", "MB under load"],
            files.Select(build => (string[])[build.Name, Text(starts[build.Name].Milliseconds, "0"), Text(starts[build.Name].Megabytes, "0"), .. Shapes.SelectMany(shape => Columns(runs, build.Name, shape)), Text(runs.Where(run => run.Way == build.Name).Max(run => run.ResidentMegabytes!.Value), "0")]));
    }

    private static async Task<(double Milliseconds, double Megabytes)> StartAsync(RedisServer redis, string file)
    {
        var times = new List<double>();
        var megabytes = 0.0;
        for (var i = 0; i < Starts; i++)
        {
            var clock = Stopwatch.StartNew();
            await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url], waitReady: false, file: file);
            times.Add(clock.Elapsed.TotalMilliseconds);
            await program.ReadyAsync();
            if (i < Starts - 1) continue;
            await Task.Delay(Idle);
            megabytes = program.Process.ResidentBytes / 1e6;
        }
        return (Figures.Median(times), megabytes);
    }

    private static string[] Columns(List<ProxyRun> runs, string name, LoadShape shape)
    {
        var mine = runs.Where(run => run.Way == name && run.Shape == shape).ToList();
        return
        [
            Text(Figures.Median(mine.Select(run => run.SetsPerSecond)), "0"), Text(Figures.Median(mine.Select(run => run.P99)), "0.000"),
            Figures.WithSpread([.. mine.Select(run => run.CpuMicroseconds!.Value)], "0.00"),
        ];
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
