using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>What did one run by one way give? Latencies are the larger of SET's and GET's; CPU is a process' user and system time by the requests made.</summary>
internal sealed record ProxyRun(string Way, LoadShape Shape, double SetsPerSecond, double GetsPerSecond, double P50, double P99, double? CpuMicroseconds, double RedisCpuMicroseconds, double? ResidentMegabytes)
{
    public static async Task<ProxyRun> MeasureAsync(IWay way, RedisServer redis, LoadShape shape, int requests)
    {
        var (before, redisBefore) = (way.Process?.CpuTime, redis.Process.CpuTime);
        var tests = await RedisBenchmark.RunAsync(way.Port, shape, requests);
        double all = requests * tests.Count;
        return new ProxyRun(
            way.Name, shape, tests.Single(test => test.Test == "SET").RequestsPerSecond, tests.Single(test => test.Test == "GET").RequestsPerSecond,
            tests.Max(test => test.P50), tests.Max(test => test.P99),
            (way.Process?.CpuTime - before)?.TotalMicroseconds / all, (redis.Process.CpuTime - redisBefore).TotalMicroseconds / all, way.Process?.ResidentBytes / 1e6);
    }

    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"{Shape} {Way}: {SetsPerSecond:0} SET/s, {GetsPerSecond:0} GET/s, p99 {P99:0.000} ms, {CpuMicroseconds:0.00} us CPU a request");
}
