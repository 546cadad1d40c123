// What does forwarding cost, beside a bare publisher and beside what a user would write?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Forward;

/// <summary>
/// SETs straight to Redis, so that only the engine is measured: at full speed (pipelined 16 deep) and at 1,000 a second. In each round in turn: the
/// ceiling (a bare publisher), keyevt, the baseline (a subscription and one tracked publish each). Then SETs through the proxy while the broker hangs, and a fallback storage of 1,000,000 events
/// is drained. <c>--ways</c> chooses among ceiling, keyevt, baseline, frozen, drain; each of <c>--builds</c> is a way like keyevt. CPU is user and system time from /proc, divided by events.
/// </summary>
internal sealed class ForwardScenario : IScenario
{
    private const string RoutingKey = "bench";
    private const int PacedSeconds = 5;
    private const int DrainedEvents = 1_000_000;

    public string Name => "forward";

    public string Meaning => "events of SETs to RabbitMQ: keyevt, a bare publisher, a simple forwarder: events a second, CPU, allocation, latency, a frozen broker, drain";

    /// <param name="BrokerMicroseconds">CPU of RabbitMQ for each event: how a publisher hands its messages over decides it.</param>
    private sealed record Row(string Way, double Rate, double CpuMicroseconds, double BrokerMicroseconds, double Allocated, double P50 = 0, double P99 = 0, double Max = 0);

    public async Task<string> RunAsync(LoadSettings settings)
    {
        await using var rabbit = await RabbitServer.StartAsync();
        await rabbit.Broker.DeclareAsync(RoutingKey, "amq.direct", RoutingKey);
        var rows = new List<Row>();
        var ways = new Dictionary<string, Func<Task<Row>>>
        {
            ["ceiling"] = () => CeilingAsync(rabbit, settings.Requests, warmUp: settings.Requests, withSets: true),
            ["keyevt"] = () => KeyEvtAsync(rabbit, settings.Requests),
            ["baseline"] = () => BaselineAsync(rabbit, settings.Requests),
        };
        foreach (var build in settings.Builds?.Split(',') ?? []) ways[build] = () => KeyEvtAsync(rabbit, settings.Requests, build);

        for (var round = 0; round <= settings.Rounds; round++)
        {
            foreach (var way in ways.Where(way => settings.Wants(way.Key) || settings.Builds?.Split(',').Contains(way.Key) == true))
            {
                var row = await way.Value();
                Console.Error.WriteLine($"{(round == 0 ? "warm-up" : "round " + round)}: {row}");
                if (round > 0) rows.Add(row);
            }
        }

        var lines = new List<string> { Table(rows) };
        if (settings.Wants("frozen")) lines.Add(await FrozenBroker.MeasureAsync(rabbit, RoutingKey, settings.Rounds));
        if (settings.Wants("drain")) lines.Add(await DrainAsync(rabbit, DrainedEvents));
        return string.Join(Environment.NewLine, lines);
    }

    /// <summary>The same SETs may run beside it, on a Redis that nobody listens to: they take their share of the machine in each way.</summary>
    /// <param name="warmUp">Messages before those that are measured.</param>
    private static async Task<Row> CeilingAsync(RabbitServer rabbit, int count, int warmUp, bool withSets)
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.CallAsync("CONFIG", "SET", "notify-keyspace-events", "E$");
        await rabbit.Broker.UseAsync(channel => channel.QueuePurgeAsync(RoutingKey));
        using var worker = Worker("ceiling", rabbit.Url, RoutingKey, Text(warmUp), Text(count));
        await worker.LineAsync("its start", line => line == "ready", TimeSpan.FromSeconds(30));
        var cpu = worker.CpuTime;
        var broker = rabbit.Process.CpuTime;
        var sets = withSets ? SetAsync(redis, count) : Task.CompletedTask;
        await worker.Input.WriteLineAsync("go");
        await worker.Input.FlushAsync();
        var figures = WorkerFigures.Parse(await worker.LineAsync("its figures", WorkerFigures.IsOne, TimeSpan.FromMinutes(5)));
        cpu = worker.CpuTime - cpu;
        broker = rabbit.Process.CpuTime - broker;
        await sets;
        return new Row("ceiling", count / figures.Seconds, cpu.TotalMicroseconds / count, broker.TotalMicroseconds / count, figures.Allocated / count);
    }

    /// <param name="build">Another build of the program, a file; null: this one.</param>
    private static async Task<Row> KeyEvtAsync(RabbitServer rabbit, int count, string? build = null)
    {
        await using var redis = await RedisServer.StartAsync();
        await rabbit.Broker.UseAsync(channel => channel.QueuePurgeAsync(RoutingKey));
        await using var program = await StartKeyEvtAsync(redis, rabbit, build);
        await AtFullSpeedAsync(redis, count, async () => await ConfirmedAsync(program) == count); // warms up: compiled code, and memory for a burst of this size
        var (cpu, broker, allocated) = (program.Process.CpuTime, rabbit.Process.CpuTime, await AllocatedAsync(program));
        var rate = await AtFullSpeedAsync(redis, count, async () => await ConfirmedAsync(program) == 2 * count);
        (cpu, broker) = (program.Process.CpuTime - cpu, rabbit.Process.CpuTime - broker);
        allocated = await AllocatedAsync(program) - allocated;
        var (p50, p99, max) = await PacedAsync(redis, rabbit);
        return new Row(build ?? "keyevt", rate, cpu.TotalMicroseconds / count, broker.TotalMicroseconds / count, allocated / (double)count, p50, p99, max);
    }

    private static async Task<Row> BaselineAsync(RabbitServer rabbit, int count)
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.CallAsync("CONFIG", "SET", "notify-keyspace-events", "E$");
        await rabbit.Broker.UseAsync(channel => channel.QueuePurgeAsync(RoutingKey));
        using var worker = Worker("baseline", $"127.0.0.1:{redis.Port}", rabbit.Url, RoutingKey);
        await worker.LineAsync("its start", line => line == "ready", TimeSpan.FromSeconds(30));
        await AtFullSpeedAsync(redis, count, async () => await CountAsync() >= count);
        var (cpu, broker) = (worker.CpuTime, rabbit.Process.CpuTime);
        var rate = await AtFullSpeedAsync(redis, count, async () => await CountAsync() >= 2 * count);
        (cpu, broker) = (worker.CpuTime - cpu, rabbit.Process.CpuTime - broker);
        var (p50, p99, max) = await PacedAsync(redis, rabbit);
        worker.Input.Close();
        var figures = WorkerFigures.Parse(await worker.LineAsync("its figures", WorkerFigures.IsOne, TimeSpan.FromSeconds(30)));
        return new Row("baseline", rate, cpu.TotalMicroseconds / count, broker.TotalMicroseconds / count, figures.Allocated / figures.Messages, p50, p99, max);

        async Task<int> CountAsync()
        {
            worker.ForgetOutput();
            await worker.Input.WriteLineAsync("count");
            await worker.Input.FlushAsync();
            return int.Parse(await worker.LineAsync("a count", line => line.Length > 0 && char.IsAsciiDigit(line[0]), TimeSpan.FromSeconds(60)), CultureInfo.InvariantCulture);
        }
    }

    private static Task SetAsync(RedisServer redis, int count) =>
        Run.ToEndAsync("redis-benchmark", ["-p", Text(redis.Port), "-c", "10", "-n", Text(count), "-P", "16", "-r", "1000000", "-t", "set", "-q"], deadline: TimeSpan.FromMinutes(5));

    /// <summary>Events a second, from the first SET to the last confirm.</summary>
    private static async Task<double> AtFullSpeedAsync(RedisServer redis, int count, Func<Task<bool>> allConfirmed)
    {
        var started = Stopwatch.GetTimestamp();
        await SetAsync(redis, count);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var deadline = Stopwatch.GetTimestamp() + (300 * Stopwatch.Frequency);
        while (!await allConfirmed() && Stopwatch.GetTimestamp() < deadline) await poll.WaitForNextTickAsync();

        return count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Milliseconds from a SET at 1,000 a second to its message at a consumer.</summary>
    private static async Task<(double P50, double P99, double Max)> PacedAsync(RedisServer redis, RabbitServer rabbit)
    {
        await rabbit.Broker.UseAsync(channel => channel.QueuePurgeAsync(RoutingKey));
        await using var consumer = await EventConsumer.AttachAsync(rabbit.Broker, RoutingKey);
        var latencies = new List<double>();
        consumer.OnReceived = message =>
        {
            if (message.Key.StartsWith("at:", StringComparison.Ordinal))
            {
                latencies.Add(Stopwatch.GetElapsedTime(long.Parse(message.Key.AsSpan(3), CultureInfo.InvariantCulture)).TotalMilliseconds);
            }
        };
        await using var client = await redis.ConnectAsync();
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(1)); // not a spin: it would take one of two cores from those that are measured
        for (var n = 0; n < PacedSeconds * 1000; n++)
        {
            await pace.WaitForNextTickAsync();
            await client.CallAsync("SET", $"at:{Text(Stopwatch.GetTimestamp())}", "v");
        }

        await Eventually.TrueAsync("all events", () => consumer.Count >= PacedSeconds * 1000, TimeSpan.FromSeconds(30));
        var sorted = latencies.Order().ToArray();
        return (sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100], sorted[^1]);
    }

    private static async Task<string> DrainAsync(RabbitServer rabbit, int count)
    {
        await using var redis = await RedisServer.StartAsync();
        await rabbit.Broker.UseAsync(channel => channel.QueuePurgeAsync(RoutingKey));
        await rabbit.KillAsync();
        await using var program = await StartKeyEvtAsync(redis, rabbit);
        await SetAsync(redis, count);
        await Eventually.TrueAsync("all events stored", async () => await FieldAsync(program, "waiting_fallback") == count, TimeSpan.FromMinutes(3));
        var stored = program.Process.ResidentBytes;
        program.Process.ResetPeak();
        await rabbit.RestartAsync();
        await Eventually.TrueAsync("the drain's start", async () => await ConfirmedAsync(program) > 0, TimeSpan.FromMinutes(1));
        var (cpu, broker, first, started) = (program.Process.CpuTime, rabbit.Process.CpuTime, await ConfirmedAsync(program), Stopwatch.GetTimestamp());
        await Eventually.TrueAsync("the drain's end", async () => await ConfirmedAsync(program) == count, TimeSpan.FromMinutes(5));
        var (rate, events) = ((count - first) / Stopwatch.GetElapsedTime(started).TotalSeconds, count - first);
        (cpu, broker) = (program.Process.CpuTime - cpu, rabbit.Process.CpuTime - broker);
        var peak = program.Process.PeakResidentBytes;
        var ceiling = await CeilingAsync(rabbit, count, warmUp: 50_000, withSets: false); // of as many: a queue becomes slower as it grows
        return string.Create(
            CultureInfo.InvariantCulture,
            $"drain of {count:N0} stored events: {rate:0} events/s ({rate / ceiling.Rate:0.00} of a bare publisher's {ceiling.Rate:0} for as many), {cpu.TotalMicroseconds / events:0.0} us CPU per event ({ceiling.CpuMicroseconds:0.0}), RabbitMQ's {broker.TotalMicroseconds / events:0.0} ({ceiling.BrokerMicroseconds:0.0}), resident {stored / 1e6:0} MB before, {peak / 1e6:0} MB at most");
    }

    private static Task<KeyEvtProcess> StartKeyEvtAsync(RedisServer redis, RabbitServer rabbit, string? build = null) =>
        KeyEvtProcess.StartAsync(file: build, arguments: ["--upstream", redis.Url, "--amqp", rabbit.Url, "--events", "$", "--keymask", "ALL", "--buffer-bytes", "256m", "--routing-key", RoutingKey]);

    private static ChildProcess Worker(params string[] arguments) =>
        ChildProcess.Start("dotnet", ["exec", Environment.GetCommandLineArgs()[0], .. arguments], withInput: true);

    private static Task<long> ConfirmedAsync(KeyEvtProcess program) => FieldAsync(program, "confirmed");

    private static async Task<long> FieldAsync(KeyEvtProcess program, string name) =>
        long.Parse((await program.InfoAsync()).First(field => field.Key.EndsWith("." + name, StringComparison.Ordinal)).Value, CultureInfo.InvariantCulture);

    private static Task<long> AllocatedAsync(KeyEvtProcess program) => FieldAsync(program, "allocated_bytes");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Table(List<Row> rows) => Figures.Table(
        ["way", "events/s", "CPU us/event", "RabbitMQ's", "bytes allocated/event", "p50 ms at 1,000/s", "p99 ms", "max ms"],
        rows.GroupBy(row => row.Way).Select(group => (string[])
        [
            group.Key,
            Median(group, row => row.Rate, "0"),
            group.Any(row => double.IsNaN(row.CpuMicroseconds)) ? "-" : Median(group, row => row.CpuMicroseconds, "0.0"),
            Median(group, row => row.BrokerMicroseconds, "0.0"),
            Median(group, row => row.Allocated, "0"),
            group.Key == "ceiling" ? "-" : Median(group, row => row.P50, "0.00"),
            group.Key == "ceiling" ? "-" : Median(group, row => row.P99, "0.00"),
            group.Key == "ceiling" ? "-" : Median(group, row => row.Max, "0.0"),
        ]));

    private static string Median(IEnumerable<Row> rows, Func<Row, double> value, string format) => Figures.Median(rows.Select(value)).ToString(format, CultureInfo.InvariantCulture);
}
