using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>What the tests about Cluster need: three masters, three replicas, the program before them, and a queue for its events.</summary>
internal sealed class ClusterRig
{
    private ClusterRig(RedisClusterServers redis, EventConsumer consumer, KeyEvtProcess program) => (Redis, Consumer, Program) = (redis, consumer, program);

    public RedisClusterServers Redis { get; }

    public EventConsumer Consumer { get; }

    public KeyEvtProcess Program { get; }

    public static async Task RunAsync(RabbitServer rabbit, string events, string[] options, Func<ClusterRig, Task> act, int? amqpPort = null)
    {
        await using var redis = await RedisClusterServers.StartAsync();
        var queue = $"q{Guid.NewGuid():N}";
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, queue, "amq.direct", queue);
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", rabbit.UrlWith(port: amqpPort), "--routing-key", queue, "--keymask", "ALL", "--events", events, .. options]);
        var rig = new ClusterRig(redis, consumer, program);
        try
        {
            await rig.CoveredAsync(3, 3);
            await act(rig);
            Ledger.AssertAddsUp(await program.AdminInfoAsync());
        }
        catch
        {
            TestContext.Current.TestOutputHelper?.WriteLine(program.Process.Tail(100));
            throw;
        }
    }

    /// <summary>Runs the act while four writers are at work, before, during and after it. Nothing may be lost or doubled.</summary>
    public static async Task RunWritingAsync(RabbitServer rabbit, Func<ClusterRig, FaultRun, Task> act)
    {
        await RunAsync(rabbit, "$", [], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(2000);
            await act(rig, run);
            await run.MoreAsync(1000);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Equal(0, verdict.Duplicated);
        });
    }

    /// <summary>Waits until the program is subscribed to so many masters, and holds back the events of so many replicas.</summary>
    public Task CoveredAsync(int masters, int replicas) => Eventually.ValueAsync(
        $"{masters} masters and {replicas} replicas to be listened to",
        Program.AdminInfoAsync,
        info => Nodes(info, "state=subscribed") == masters && Nodes(info, "state=held_back") == replicas,
        TimeSpan.FromSeconds(20));

    /// <summary>Starts four writers with 500 writes a second each, over all slots.</summary>
    public FaultRun StartRun() => FaultRun.Start(
        Program, ListsAsync, Consumer, [.. Enumerable.Range(0, 4).Select(_ => new WriterSetting(0) { Slots = async () => await Redis.LinesAsync() })]);

    /// <summary>Asks the nodes which fallback lists they hold.</summary>
    public async Task<IReadOnlyList<FallbackList>> ListsAsync() => await FallbackList.OnAsync(await Redis.MastersAsync());

    public async Task<long> NumberAsync(string field) => long.Parse((await Program.AdminInfoAsync())[field], CultureInfo.InvariantCulture);

    private static int Nodes(IReadOnlyDictionary<string, string> info, string what) =>
        info.Count(field => field.Key.StartsWith("upstream.node_", StringComparison.Ordinal) && field.Value.Contains(what, StringComparison.Ordinal));
}
