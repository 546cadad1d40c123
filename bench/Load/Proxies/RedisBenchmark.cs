// What does one run of redis-benchmark say?
using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>One row of its CSV output.</summary>
internal sealed record RedisBenchmark(string Test, double RequestsPerSecond, double P50, double P99)
{
    /// <summary>GET and SET over 100,000 keys (1,000 large ones); this many requests of each.</summary>
    public static async Task<IReadOnlyList<RedisBenchmark>> RunAsync(int port, LoadShape shape, int requests)
    {
        string[] arguments =
        [
            "-p", Text(port), "-c", Text(shape.Clients), "-n", Text(requests), "-P", Text(shape.Pipeline), "-d", Text(shape.ValueBytes), "-r", Text(shape.ValueBytes > 50_000 ? 1000 : 100_000), "-t", "set,get", "--precision", "3", "--csv",
        ];
        return await RunAsync(arguments);
    }

    /// <summary>A connection for each PING; how many a second.</summary>
    public static async Task<double> ReconnectAsync(int port, int clients, int sessions)
        => (await RunAsync(["-p", Text(port), "-c", Text(clients), "-n", Text(sessions), "-k", "0", "-t", "ping_mbulk", "--csv"])).Single().RequestsPerSecond;

    private static async Task<IReadOnlyList<RedisBenchmark>> RunAsync(string[] arguments)
    {
        var result = await Run.ToEndAsync("redis-benchmark", arguments, deadline: TimeSpan.FromMinutes(5));
        if (result.ExitCode != 0) throw new InvalidOperationException($"redis-benchmark: {result}");
        // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',').Select(field => field.Trim('"')).ToArray())
            .Select(fields => new RedisBenchmark(fields[0], Number(fields[1]), Number(fields[4]), Number(fields[6])))];
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
