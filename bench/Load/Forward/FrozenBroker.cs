// Does a broker that hangs slow the clients of Redis?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Forward;

/// <summary>
/// SETs through the proxy, 1,000 a second, in turn: with nothing to forward, and with an event for each while the broker is stopped by SIGSTOP,
/// so that all of them are on their way to the fallback storage. Medians of the rounds.
/// </summary>
internal static class FrozenBroker
{
    private const int Seconds = 4;

    public static async Task<string> MeasureAsync(RabbitServer rabbit, string routingKey, int rounds)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var quiet = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", rabbit.Url]);
        await using var forwarding = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", rabbit.Url, "--events", "$", "--keymask", "ALL", "--routing-key", routingKey, "--heartbeat", "5"]);
        await forwarding.CallAsync("SET", "first", "v");
        await Eventually.TrueAsync("the first event", async () => (await forwarding.InfoAsync())["ledger.confirmed"] == "1");
        var (without, frozen) = (new List<(double P50, double P99)>(), new List<(double P50, double P99)>());
        for (var round = 0; round <= rounds; round++)
        {
            var usual = await SetAsync(quiet, "bench:quiet");
            rabbit.Freeze();
            var hanging = await SetAsync(forwarding, "bench:frozen");
            rabbit.Thaw();
            await Eventually.TrueAsync("all events confirmed", async () => (await forwarding.InfoAsync()) is var info && info["ledger.waiting_memory"] == "0" && info["ledger.waiting_fallback"] == "0", TimeSpan.FromMinutes(1));
            if (round == 0) continue; // warms up

            without.Add(usual);
            frozen.Add(hanging);
        }

        var (calm, hung) = (Figures.Median(without.Select(r => r.P99)), Figures.Median(frozen.Select(r => r.P99)));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"SETs through the proxy at 1,000/s: p50 {Figures.Median(without.Select(r => r.P50)):0.000} ms, p99 {calm:0.000} ms with nothing to forward; p50 {Figures.Median(frozen.Select(r => r.P50)):0.000} ms, p99 {hung:0.000} ms with an event each and a frozen broker ({hung / calm:0.00} of it)");
    }

    private static async Task<(double P50, double P99)> SetAsync(KeyEvtProcess program, string key)
    {
        await using var client = await program.ConnectAsync();
        var latencies = new double[Seconds * 1000];
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        for (var n = 0; n < latencies.Length; n++)
        {
            await pace.WaitForNextTickAsync();
            var started = Stopwatch.GetTimestamp();
            await client.CallAsync("SET", key, "v");
            latencies[n] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }

        Array.Sort(latencies);
        return (latencies[latencies.Length / 2], latencies[latencies.Length * 99 / 100]);
    }
}
