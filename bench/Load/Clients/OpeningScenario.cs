// What does a session cost that is opened for one request?
using System.Globalization;
using KeyEvt.Bench.Load.Proxies;
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Clients;

/// <summary>
/// Clients that connect, send one PING, read its reply and close, again and again (redis-benchmark without keep-alive): sessions a second, and what one costs
/// the proxy, by each way in turn within each round. A session through a proxy is two connections.
/// </summary>
internal sealed class OpeningScenario : IScenario
{
    private const int WarmUps = 2;
    private static readonly int[] Concurrent = [1, 50];

    public string Name => "opening";

    public string Meaning => "connect, PING, close: sessions a second, CPU and bytes allocated per session; --requests is sessions in a run";

    public async Task<string> RunAsync(LoadSettings settings)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var ways = await Ways.StartAsync(redis, settings with { Ways = settings.Ways ?? "direct,haproxy,keyevt" }); // twemproxy does not make a connection for each client
        var runs = new List<Opened>();
        for (var round = 1 - WarmUps; round <= settings.Rounds; round++)
        {
            foreach (var (clients, way) in Concurrent.SelectMany(clients => ways.All.Select(way => (clients, way))))
            {
                var run = await MeasureAsync(way, redis, clients, settings.Requests);
                Console.Error.WriteLine($"{(round <= 0 ? "warm-up" : "round " + round)}: {run}");
                if (round > 0) runs.Add(run);
            }
        }
        return Figures.Table(
            ["clients at once", "way", "sessions/s (min-max)", "CPU us/session (min-max)", "Redis CPU us/session", "bytes allocated/session", "resident MB"],
            runs.GroupBy(run => (run.Clients, run.Way)).OrderBy(group => group.Key.Clients).Select(group => (string[])
            [
                $"{group.Key.Clients}",
                group.Key.Way,
                Figures.WithSpread([.. group.Select(run => run.PerSecond)], "0"),
                group.Any(run => run.CpuMicroseconds is null) ? "-" : Figures.WithSpread([.. group.Select(run => run.CpuMicroseconds!.Value)], "0.0"),
                Text(group.Select(run => (double?)run.RedisCpuMicroseconds), "0.0"),
                Text(group.Select(run => run.AllocatedBytes), "0"),
                Text(group.Select(run => run.ResidentMegabytes), "0"),
            ]));
    }

    private static async Task<Opened> MeasureAsync(IWay way, RedisServer redis, int clients, int sessions)
    {
        var (before, redisBefore, allocatedBefore) = (way.Process?.CpuTime, redis.Process.CpuTime, await way.AllocatedBytesAsync());
        var perSecond = await RedisBenchmark.ReconnectAsync(way.Port, clients, sessions);
        return new Opened(
            clients, way.Name, perSecond, (way.Process?.CpuTime - before)?.TotalMicroseconds / sessions, (redis.Process.CpuTime - redisBefore).TotalMicroseconds / sessions,
            (await way.AllocatedBytesAsync() - allocatedBefore) / (double)sessions, way.Process?.ResidentBytes / 1e6);
    }

    private static string Text(IEnumerable<double?> values, string format)
        => values.All(value => value is not null) ? Figures.Median(values.Select(value => value!.Value)).ToString(format, CultureInfo.InvariantCulture) : "-";

    private sealed record Opened(int Clients, string Way, double PerSecond, double? CpuMicroseconds, double RedisCpuMicroseconds, double? AllocatedBytes, double? ResidentMegabytes)
    {
        public override string ToString()
            => string.Create(CultureInfo.InvariantCulture, $"{Clients} at once, {Way}: {PerSecond:0} sessions/s, {CpuMicroseconds:0.0} us CPU, {AllocatedBytes:0} bytes a session");
    }
}
