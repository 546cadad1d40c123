// What stands while the faults come?
using System.Globalization;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;

namespace KeyEvt.Soak;

/// <summary>Redis in one of its shapes, a RabbitMQ behind a relay, one keyevt or a group of them in between, an independent consumer, writers. All private.</summary>
internal sealed class SoakStage : IAsyncDisposable
{
    public const string Queue = "soak";
    public const string OtherKey = "soak.other";

    /// <summary>Of the queue: an exchange and a routing key each.</summary>
    public static readonly IReadOnlyList<(string Exchange, string Key)> Bindings = [("amq.direct", Queue), ("amq.direct", OtherKey), ("amq.topic", Queue), ("amq.topic", OtherKey)];

    private static readonly TimeSpan RecoveryDeadline = TimeSpan.FromSeconds(90);

    private readonly List<KeyEvtProcess> _programs = [];
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

    /// <summary>All of them forward the events of one Redis to one place, and so are one group.</summary>
    public IReadOnlyList<KeyEvtProcess> Programs => _programs;

    public FaultRun Run { get; private set; } = null!;

    /// <param name="members">How many programs.</param>
    public static async Task<SoakStage> SetAsync(string shape, int seed, int members)
    {
        var rabbit = await RabbitServer.StartAsync();
        var stage = new SoakStage(await SoakShape.StartAsync(shape, seed), rabbit);
        try
        {
            await stage.StartAsync(members);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Which program a fault concerns.</summary>
    public int Any(Random random) => _programs.Count == 1 ? 0 : random.Next(_programs.Count);

    /// <summary>Back to normal, at every program: subscribed, connected, nothing waits longer than it takes.</summary>
    public Task RecoveredAsync() => Eventually.TrueAsync("the programs to be back to normal", async () =>
    {
        foreach (var watch in Run.Watches)
        {
            var info = await watch.LookAsync();
            var isNormal = info["upstream.feed_state"] == "subscribed" && Shape.IsCovered(info) && info["gaps.gaps_open"] == "0" && info["amqp.state"] == "connected" && info["amqp.delivery"] == "live"
                && info["ledger.waiting_fallback"] == "0" && long.Parse(info["ledger.waiting_memory"], CultureInfo.InvariantCulture) < 1000;
            if (!isNormal) return false;
        }

        return true;
    }, RecoveryDeadline);

    public Task StoredAsync(long count) => Eventually.TrueAsync($"{count} stored events", async () => await Run.Watch.FallbackLengthAsync() >= count, RecoveryDeadline);

    public async ValueTask DisposeAsync()
    {
        if (Run is not null) await Run.DisposeAsync();
        foreach (var program in _programs) await program.DisposeAsync();
        if (_consumer is not null) await _consumer.DisposeAsync();
        await Relay.DisposeAsync();
        await Rabbit.DisposeAsync();
        await Shape.DisposeAsync();
    }

    private async Task StartAsync(int members)
    {
        foreach (var (exchange, key) in Bindings) await Rabbit.Broker.DeclareAsync(Queue, exchange, key);

        _consumer = await EventConsumer.AttachAsync(Rabbit.Broker, Queue);
        // Unroutable is stored: a broker killed right after the declarations may come back without them.
        for (var member = 0; member < members; member++)
        {
            _programs.Add(await KeyEvtProcess.StartAsync(
                ["--upstream", Shape.Url, .. Shape.NewOptions(), "--amqp", Rabbit.UrlWith(port: Relay.Port), "--routing-key", Queue, "--events", "$", "--keymask", "ALL", "--delivery-mode", "2", "--unroutable", "store"]));
        }

        Run = Shape.Start(_programs, _consumer);
        await Run.MoreAsync(1000);
        await RecoveredAsync();
    }
}
