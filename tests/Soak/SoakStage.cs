// What stands while the faults come?
using System.Globalization;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;

namespace KeyEvt.Soak;

/// <summary>Redis in one of its shapes, a RabbitMQ behind a relay, keyevt between them, an independent consumer, writers. All private.</summary>
internal sealed class SoakStage : IAsyncDisposable
{
    public const string Queue = "soak";
    public const string OtherKey = "soak.other";

    /// <summary>Of the queue: an exchange and a routing key each.</summary>
    public static readonly IReadOnlyList<(string Exchange, string Key)> Bindings = [("amq.direct", Queue), ("amq.direct", OtherKey), ("amq.topic", Queue), ("amq.topic", OtherKey)];

    private static readonly TimeSpan RecoveryDeadline = TimeSpan.FromSeconds(90);

    private EventConsumer? _consumer;

    private SoakStage(SoakShape shape, RabbitServer rabbit)
    {
        (Shape, Rabbit) = (shape, rabbit);
        Relay = new Relay(rabbit.Port);
    }

    public SoakShape Shape { get; }

    public IReadOnlyList<SoakFault> Faults => [.. SoakFaults.OfAllShapes, .. Shape.Faults];

    public RabbitServer Rabbit { get; }

    /// <summary>Between keyevt and the broker; the consumer goes round it.</summary>
    public Relay Relay { get; }

    public KeyEvtProcess Program { get; private set; } = null!;

    public FaultRun Run { get; private set; } = null!;

    public static async Task<SoakStage> SetAsync(string shape, int seed)
    {
        var rabbit = await RabbitServer.StartAsync();
        var stage = new SoakStage(await SoakShape.StartAsync(shape, seed), rabbit);
        try
        {
            await stage.StartAsync();
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Back to normal: subscribed, connected, nothing waits longer than it takes.</summary>
    public Task RecoveredAsync() => Eventually.TrueAsync("the program to be back to normal", async () =>
    {
        var info = await Run.Watch.LookAsync();
        return info["upstream.feed_state"] == "subscribed" && Shape.IsCovered(info) && info["gaps.gaps_open"] == "0" && info["amqp.state"] == "connected" && info["amqp.delivery"] == "live"
            && info["ledger.waiting_fallback"] == "0" && long.Parse(info["ledger.waiting_memory"], CultureInfo.InvariantCulture) < 1000;
    }, RecoveryDeadline);

    public Task StoredAsync(long count) => Eventually.TrueAsync($"{count} stored events", async () => await Run.Watch.FallbackLengthAsync() >= count, RecoveryDeadline);

    public async ValueTask DisposeAsync()
    {
        if (Run is not null) await Run.DisposeAsync();
        if (Program is not null) await Program.DisposeAsync();
        if (_consumer is not null) await _consumer.DisposeAsync();
        await Relay.DisposeAsync();
        await Rabbit.DisposeAsync();
        await Shape.DisposeAsync();
    }

    private async Task StartAsync()
    {
        foreach (var (exchange, key) in Bindings) await Rabbit.Broker.DeclareAsync(Queue, exchange, key);

        _consumer = await EventConsumer.AttachAsync(Rabbit.Broker, Queue);
        // Unroutable is stored: a broker killed right after the declarations may come back without them.
        Program = await KeyEvtProcess.StartAsync(
            ["--upstream", Shape.Url, .. Shape.Options, "--amqp", Rabbit.UrlWith(port: Relay.Port), "--routing-key", Queue, "--events", "$", "--keymask", "ALL", "--delivery-mode", "2", "--unroutable", "store"]);
        Run = Shape.Start(Program, _consumer);
        await Run.MoreAsync(1000);
        await RecoveredAsync();
    }
}
