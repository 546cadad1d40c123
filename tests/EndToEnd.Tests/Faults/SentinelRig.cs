using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>What the tests about Sentinel need: a master, two replicas, three Sentinels, the program before them, and a queue for its events.</summary>
internal sealed class SentinelRig : IAsyncDisposable
{
    private SentinelRig(SentinelServers redis, EventConsumer consumer, KeyEvtProcess program) => (Redis, Consumer, Program) = (redis, consumer, program);

    public SentinelServers Redis { get; }

    public EventConsumer Consumer { get; }

    public KeyEvtProcess Program { get; }

    public static async Task RunAsync(RabbitServer rabbit, string[] options, Func<SentinelRig, Task> act, string[]? lines = null, int? amqpPort = null)
    {
        await using var redis = await SentinelServers.StartAsync(lines ?? []);
        var queue = $"q{Guid.NewGuid():N}";
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, queue, "amq.direct", queue);
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", rabbit.UrlWith(port: amqpPort), "--routing-key", queue, "--keymask", "ALL", "--events", "$", .. options]);
        await using var rig = new SentinelRig(redis, consumer, program);
        try
        {
            await Eventually.ValueAsync("all nodes to be listened to", program.AdminInfoAsync, info => info["upstream.nodes"] == "3" && Enumerable.Range(0, 3).All(i => info[$"upstream.node_{i}"].Contains(i == 0 ? "state=subscribed" : "state=held_back", StringComparison.Ordinal)));
            await act(rig);
            Ledger.AssertAddsUp(await program.AdminInfoAsync());
        }
        catch
        {
            TestContext.Current.TestOutputHelper?.WriteLine(program.Process.Tail(80));
            throw;
        }
    }

    /// <summary>Starts four writers with 500 writes a second each. They write straight to the present master, or through the program.</summary>
    public FaultRun StartRun(bool through = false) => FaultRun.Start(Program, async () => [new(await MasterAsync(), FallbackList.Name)], Consumer, [.. Enumerable.Range(0, 4).Select(_ => through ? new WriterSetting(Program.Port) : new WriterSetting(0) { FindPort = async () => (await MasterAsync()).Port })]);

    public async Task<RedisServer> MasterAsync() => await Redis.MasterAsync() ?? throw new IOException("there is no master");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
