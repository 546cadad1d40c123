// Which faults may come, and how are they made?
using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.Soak;

/// <summary>
/// Rows of the fault catalogue in random lengths: of the broker and of the program; those of Redis are its shape's. Some lose by their nature, and are accounted for: FLUSHALL, or a master that
/// is lost with what its replica had not received, take stored events (the ledger counts them: what is lost must not be more), and kill -9 takes what was only in memory (the run declares the
/// second before it; so the kill comes only while the broker confirms).
/// Not here: eviction (as FLUSHALL, but nobody can say when), a memory bound that is reached (it drops by design; a row of its own), deleted exchanges.
/// </summary>
internal static class SoakFaults
{
    public static readonly IReadOnlyList<SoakFault> OfAllShapes =
    [
        new("B1 broker killed", FaultSide.Broker, async (stage, random) =>
        {
            await stage.Rabbit.KillAsync();
            await HoldAsync(random, 4);
            await stage.Rabbit.RestartAsync();
        }),
        new("B2 broker frozen", FaultSide.Broker, async (stage, random) =>
        {
            stage.Rabbit.Freeze();
            await HoldAsync(random, 15);
            stage.Rabbit.Thaw();
        }),
        new("B3 relay paused, then reset", FaultSide.Broker, async (stage, random) =>
        {
            stage.Relay.Pause();
            await HoldAsync(random, 8);
            stage.Relay.Reset();
            stage.Relay.Resume();
        }),
        new("relay paused", FaultSide.Broker, async (stage, random) =>
        {
            stage.Relay.Pause();
            await HoldAsync(random, 8);
            stage.Relay.Resume();
        }),
        new("relay reset again and again", FaultSide.Broker, async (stage, random) =>
        {
            for (var times = random.Next(1, 8); times > 0; times--)
            {
                stage.Relay.Reset();
                await HoldAsync(random, 0.5);
            }
        }),
        new("broker out of reach", FaultSide.Broker, async (stage, random) =>
        {
            stage.Relay.Cut();
            await HoldAsync(random, 6);
            stage.Relay.Accept();
        }),
        new("B4 memory alarm", FaultSide.Broker, async (stage, random) =>
        {
            await stage.Rabbit.CtlAsync("set_vm_memory_high_watermark", "0");
            await HoldAsync(random, 4);
            await stage.Rabbit.CtlAsync("set_vm_memory_high_watermark", "0.4");
        }),
        new("B5 disk alarm", FaultSide.Broker, async (stage, random) =>
        {
            await stage.Rabbit.CtlAsync("set_disk_free_limit", "100000GB");
            await HoldAsync(random, 4);
            await stage.Rabbit.CtlAsync("set_disk_free_limit", "50MB");
        }),
        new("B15 close_all_connections", FaultSide.Broker, (stage, _) => stage.Rabbit.CtlAsync("close_all_connections", "soak")),
        new("B16 the broker is back without its queue", FaultSide.Broker, QueueMissingAsync),
        new("B17 the list at its cap, the broker slow", FaultSide.Broker, CapAsync),
        new("P15 a second program with the same backlog", FaultSide.Program, SecondProgramAsync),
        new("P11 program frozen", FaultSide.Program, async (stage, random) =>
        {
            var program = stage.Programs[stage.Any(random)];
            program.Freeze();
            await HoldAsync(random, 6);
            program.Thaw();
        }),
        new("P1 program killed", FaultSide.Program, async (stage, random) =>
        {
            await stage.Shape.FlagsAsync();
            await stage.Run.KillProgramAsync(stage.Any(random));
        }),
        new("P2 program stopped", FaultSide.Program, async (stage, random) =>
        {
            await stage.Shape.FlagsAsync();
            var (code, took) = await stage.Run.StopProgramAsync(member: stage.Any(random));
            if (code != 0 || took > TimeSpan.FromSeconds(10))
            {
                throw new InvalidOperationException($"after SIGTERM it ended with {code} in {took.TotalSeconds:0.0} s");
            }
        }),
        new("P12 configured anew", FaultSide.Feed, async (stage, random) =>
        {
            await using var client = await stage.Programs[stage.Any(random)].ConnectAsync();
            for (var times = random.Next(1, 20); times > 0; times--)
            {
                var reply = await client.CallAsync(
                    "key_evt_amqp.config_set", "127.0.0.1", stage.Relay.Port.ToString(CultureInfo.InvariantCulture), RabbitServer.User, RabbitServer.Password, "30",
                    random.Next(2) == 0 ? "amq.direct" : "amq.topic", random.Next(2) == 0 ? SoakStage.Queue : SoakStage.OtherKey, "2", "1000000", random.Next(2) == 0 ? "ALL" : "^t:");
                // While Redis takes no writes nothing can be changed for all.
                if (reply.IsError && !reply.Text.Contains("cannot be kept in Redis (OOM", StringComparison.Ordinal))
                {
                    throw new InvalidOperationException(reply.Text);
                }
                await HoldAsync(random, 0.2);
            }
        }),
    ];

    /// <summary>Takes the queue's bindings away, with the links: what is published then is routed to nobody.</summary>
    private static async Task QueueMissingAsync(SoakStage stage, Random random)
    {
        stage.Relay.Cut();
        await HoldAsync(random, 2);
        foreach (var (exchange, key) in SoakStage.Bindings) await stage.Rabbit.Broker.UnbindAsync(SoakStage.Queue, exchange, key);
        stage.Relay.Accept();
        await HoldAsync(random, 6);
        foreach (var (exchange, key) in SoakStage.Bindings) await stage.Rabbit.Broker.DeclareAsync(SoakStage.Queue, exchange, key);
    }

    /// <summary>The cap drops the oldest, and the ledger counts them.</summary>
    private static async Task CapAsync(SoakStage stage, Random random)
    {
        await using var client = await stage.Programs[stage.Any(random)].ConnectAsync();
        stage.Relay.Cut();
        await stage.StoredAsync(random.Next(500, 2000));
        await client.CallAsync("key_evt_amqp.fallback_storage_size_set", random.Next(200, 500).ToString(CultureInfo.InvariantCulture));
        stage.Relay.Delay = TimeSpan.FromMilliseconds(200);
        stage.Relay.Accept();
        await HoldAsync(random, 6);
        stage.Relay.Delay = TimeSpan.Zero;
        await client.CallAsync("key_evt_amqp.fallback_storage_size_set", "1000000");
    }

    /// <summary>It wants no events of its own, and takes what is stored like the first one: some go out twice, with equal ids.</summary>
    private static async Task SecondProgramAsync(SoakStage stage, Random random)
    {
        stage.Relay.Cut();
        await stage.StoredAsync(random.Next(500, 5000));
        stage.Relay.Accept();
        await using var second = await KeyEvtProcess.StartAsync(
            ["--upstream", stage.Shape.Url, .. stage.Shape.NewOptions(), "--amqp", stage.Rabbit.UrlWith(), "--routing-key", SoakStage.Queue, "--delivery-mode", "2", "--unroutable", "store"], waitReady: false);
        await HoldAsync(random, 6);
        await second.StopAsync();
    }

    /// <summary>The fault lasts; not a wait for something.</summary>
    public static Task HoldAsync(Random random, double most) => Task.Delay(TimeSpan.FromSeconds(most * random.NextDouble()));
}
