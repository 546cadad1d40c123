using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>What do rows about Cluster stand on? Three masters, three replicas, the program before them, and a queue of its own.</summary>
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

    /// <summary>Waits until so many masters are subscribed to and so many replicas held back.</summary>
    public Task CoveredAsync(int masters, int replicas) => Eventually.ValueAsync(
        $"{masters} masters and {replicas} replicas to be listened to",
        Program.AdminInfoAsync,
        info => Nodes(info, "state=subscribed") == masters && Nodes(info, "state=held_back") == replicas,
        TimeSpan.FromSeconds(20));

    /// <summary>Four writers, 500 writes a second each, over all slots.</summary>
    public FaultRun StartRun() => FaultRun.Start(
        Program, ListsAsync, Consumer, [.. Enumerable.Range(0, 4).Select(_ => new WriterSetting(0) { Slots = async () => await Redis.LinesAsync() })]);

    /// <summary>What is stored, and where, by the nodes' own word.</summary>
    public async Task<IReadOnlyList<FallbackList>> ListsAsync() => await FallbackList.OnAsync(await Redis.MastersAsync());

    public async Task<long> NumberAsync(string field) => long.Parse((await Program.AdminInfoAsync())[field], CultureInfo.InvariantCulture);

    private static int Nodes(IReadOnlyDictionary<string, string> info, string what) =>
        info.Count(field => field.Key.StartsWith("upstream.node_", StringComparison.Ordinal) && field.Value.Contains(what, StringComparison.Ordinal));
}
