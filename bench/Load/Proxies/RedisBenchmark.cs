// What does one run of redis-benchmark say?
using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>One row of its CSV output.</summary>
internal sealed record RedisBenchmark(string Test, double RequestsPerSecond, double P50, double P99)
{
    public const int Clients = 50;
    public const int ValueBytes = 64;

    /// <summary>GET and SET over 100,000 keys; this many requests of each.</summary>
    public static async Task<IReadOnlyList<RedisBenchmark>> RunAsync(int port, int requests, int pipeline)
    {
        string[] arguments =
        [
            "-p", Text(port), "-c", Text(Clients), "-n", Text(requests), "-P", Text(pipeline), "-d", Text(ValueBytes), "-r", "100000", "-t", "set,get", "--precision", "3", "--csv",
        ];
        var result = await Run.ToEndAsync("redis-benchmark", arguments, deadline: TimeSpan.FromMinutes(5));
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"redis-benchmark: {result}");
        // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',').Select(field => field.Trim('"')).ToArray())
            .Select(fields => new RedisBenchmark(fields[0], Number(fields[1]), Number(fields[4]), Number(fields[6])))];
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
