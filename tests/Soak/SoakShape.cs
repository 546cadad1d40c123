using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;

namespace KeyEvt.Soak;

/// <summary>Which Redis stands there, who writes to it, and what may happen to it?</summary>
internal abstract class SoakShape : IAsyncDisposable
{
    /// <summary>Seconds, so that a long run does not fill the memory; long enough for a look at each minute's losses.</summary>
    protected const int KeyLife = 120;

    private const string Flags = "notify-keyspace-events";

    public static readonly IReadOnlyList<string> Names = ["standalone", "sentinel", "cluster"];

    public abstract string Url { get; }

    /// <summary>Of this shape alone.</summary>
    public abstract IReadOnlyList<SoakFault> Faults { get; }

    /// <summary>Options that one more program needs besides.</summary>
    public virtual string[] NewOptions() => [];

    /// <summary>Seconds for which a master may answer nobody without being replaced.</summary>
    protected virtual double MostBusy => 0.7;

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="seed">Of the run: what is chosen once for all of it.</param>
    public static Task<SoakShape> StartAsync(string name, int seed) => name switch
    {
        "sentinel" => SentinelShape.StartAsync(),
        "cluster" => ClusterShape.StartAsync(),
        _ => StandaloneShape.StartAsync(isAppending: seed % 2 == 0),
    };

    /// <summary>
    /// What of the program kept a master from everybody else for too long since this was asked last; null: nothing. A machine that takes the processor away from Redis makes the
    /// writers' SETs as slow: what is no slower than those is not the program's doing. Nor is the time in which Redis had no processor.
    /// </summary>
    /// <param name="most">So long it may.</param>
    public async Task<string?> BlockedAsync(TimeSpan most, ProcessorWatch processors)
    {
        string? worst = null;
        foreach (var master in await MastersAsync())
        {
            // id, time, microseconds, arguments, address, client name
            var entries = (await master.CallAsync("SLOWLOG", "GET", "-1")).Items.OrderByDescending(entry => entry.Items[2].Integer).ToList();
            await master.CallAsync("SLOWLOG", "RESET");
            var ours = entries.FirstOrDefault(entry => entry.Items[5].Text.StartsWith("keyevt", StringComparison.Ordinal));
            var writers = entries.FirstOrDefault(entry => entry.Items[3].Items[0].Text == "SET");
            if (ours is null) continue;

            var took = TimeSpan.FromMicroseconds(ours.Items[2].Integer);
            var without = processors.Longest(master.Process.Id, took);
            if (took > most + without && ours.Items[2].Integer > 2 * (writers?.Items[2].Integer ?? 0))
            {
                var command = string.Join(' ', ours.Items[3].Texts.Take(3).Select(text => text.Length > 60 ? text[..60] : text));
                worst = $"{command} of {ours.Items[5].Text} took {took.TotalMilliseconds:0} ms; in such a time Redis was without a processor for {without.TotalMilliseconds:0} ms at most";
            }
        }

        processors.Forget();
        return worst;
    }

    /// <summary>The writers begin.</summary>
    public abstract FaultRun Start(IReadOnlyList<KeyEvtProcess> programs, EventConsumer consumer);

    /// <summary>Every node is heard, or held back, as it should be.</summary>
    public abstract bool IsCovered(IReadOnlyDictionary<string, string> info);

    /// <summary>Whether an acknowledged key is there still. A master that is replaced takes writes until it knows; they are gone with it, and their events are not forwarded.</summary>
    public abstract Task<bool> HasAsync(string key);

    /// <summary>Flags taken away by the fault before are noticed within 2 s; a program that ends sooner cannot declare them any more.</summary>
    public async Task FlagsAsync()
    {
        foreach (var master in await MastersAsync())
        {
            await Eventually.ValueAsync("the flags", async () => (await master.CallAsync("CONFIG", "GET", Flags)).Texts[1], flags => flags.Contains('$', StringComparison.Ordinal));
        }
    }

    public abstract ValueTask DisposeAsync();

    protected abstract Task<IReadOnlyList<RedisServer>> MastersAsync();

    /// <summary>What happens to feeds, whichever node it is.</summary>
    protected IReadOnlyList<SoakFault> FeedFaults =>
    [
        new("R7 CLIENT KILL TYPE pubsub at a master", FaultSide.Feed, async (_, random) => await (await AnyAsync(random)).CallAsync("CLIENT", "KILL", "TYPE", "pubsub")),
        new("R15 a master is busy", FaultSide.Feed, async (_, random) =>
        {
            await using var client = await (await AnyAsync(random)).ConnectAsync();
            await client.SendCommandAsync("EVAL", "local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end local until_ = now() + ARGV[1] repeat until now() >= until_ return 'done'", "0", $"{(int)(MostBusy * 1000 * random.NextDouble())}");
            await client.ReadReplyAsync(TimeSpan.FromSeconds(30));
        }) { StopsRedis = true },
        new("R17 flags flicker at a master", FaultSide.Feed, async (_, random) =>
        {
            var master = await AnyAsync(random);
            var flags = (await master.CallAsync("CONFIG", "GET", Flags)).Texts[1];
            for (var times = 0; times < 10; times++)
            {
                await master.CallAsync("CONFIG", "SET", Flags, "");
                await SoakFaults.HoldAsync(random, 0.2);
                await master.CallAsync("CONFIG", "SET", Flags, flags);
                await SoakFaults.HoldAsync(random, 0.5);
            }
        }),
        new("R8 notify-keyspace-events '' at a master", FaultSide.Feed, async (_, random) => await (await AnyAsync(random)).CallAsync("CONFIG", "SET", Flags, "")),
    ];

    protected async Task<RedisServer> AnyAsync(Random random)
    {
        var masters = await MastersAsync();
        return masters[random.Next(masters.Count)];
    }

    protected static int Nodes(IReadOnlyDictionary<string, string> info, string what) =>
        info.Count(field => field.Key.StartsWith("upstream.node_", StringComparison.Ordinal) && field.Value.Contains(what, StringComparison.Ordinal));
}
