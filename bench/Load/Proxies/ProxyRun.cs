using System.Globalization;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>What did one run by one way give? Latencies are the larger of SET's and GET's.</summary>
internal sealed record ProxyRun(string Way, int Pipeline, double SetsPerSecond, double GetsPerSecond, double P50, double P99, double? CpuMicroseconds, double? ResidentMegabytes)
{
    public static async Task<ProxyRun> MeasureAsync(IWay way, int requests, int pipeline)
    {
        var before = way.Process?.CpuTime;
        var tests = await RedisBenchmark.RunAsync(way.Port, requests, pipeline);
        var cpu = (way.Process?.CpuTime - before)?.TotalMicroseconds / (requests * tests.Count);
        return new ProxyRun(
            way.Name, pipeline, tests.Single(test => test.Test == "SET").RequestsPerSecond, tests.Single(test => test.Test == "GET").RequestsPerSecond,
            tests.Max(test => test.P50), tests.Max(test => test.P99), cpu, way.Process?.ResidentBytes / 1e6);
    }

    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"P={Pipeline} {Way}: {SetsPerSecond:0} SET/s, {GetsPerSecond:0} GET/s, p99 {P99:0.000} ms, {CpuMicroseconds:0.00} us CPU a request");
}
