// Which faults may come, and how are they made?
using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.Soak;

/// <summary>
/// Rows of the fault catalogue in random lengths: of the broker and of the program; those of Redis are its shape's. Some lose by their nature, and are accounted for: FLUSHALL, or a master that
/// is lost with what its replica had not received, take stored events (the ledger counts them: what is lost must not be more), and kill -9 takes what was only in memory (the run declares the
/// second before it; so the kill comes only while the broker confirms).
/// Not here: eviction (as FLUSHALL, but nobody can say when), a cap or a memory bound that is reached (they drop by design; rows of their own),
/// unbound queues and deleted exchanges (the broker drops what is meant for them).
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
        new("P11 program frozen", FaultSide.Program, async (stage, random) =>
        {
            stage.Program.Freeze();
            await HoldAsync(random, 6);
            stage.Program.Thaw();
        }),
        new("P1 program killed", FaultSide.Program, async (stage, _) =>
        {
            await stage.Shape.FlagsAsync();
            await stage.Run.KillProgramAsync();
        }),
        new("P2 program stopped", FaultSide.Program, async (stage, _) =>
        {
            await stage.Shape.FlagsAsync();
            var (code, took) = await stage.Run.StopProgramAsync();
            if (code != 0 || took > TimeSpan.FromSeconds(10))
                throw new InvalidOperationException($"after SIGTERM it ended with {code} in {took.TotalSeconds:0.0} s");
        }),
        new("P12 configured anew", FaultSide.Feed, async (stage, random) =>
        {
            await using var client = await stage.Program.ConnectAsync();
            for (var times = random.Next(1, 20); times > 0; times--)
            {
                var reply = await client.CallAsync(
                    "key_evt_amqp.config_set", "127.0.0.1", stage.Relay.Port.ToString(CultureInfo.InvariantCulture), RabbitServer.User, RabbitServer.Password, "30",
                    random.Next(2) == 0 ? "amq.direct" : "amq.topic", random.Next(2) == 0 ? SoakStage.Queue : SoakStage.OtherKey, "2", "1000000", random.Next(2) == 0 ? "ALL" : "^t:");
                if (reply.IsError)
                    throw new InvalidOperationException(reply.Text);
                await HoldAsync(random, 0.2);
            }
        }),
    ];

    /// <summary>The fault lasts; not a wait for something.</summary>
    public static Task HoldAsync(Random random, double most) => Task.Delay(TimeSpan.FromSeconds(most * random.NextDouble()));
}
