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

    /// <summary>Options that the program needs besides.</summary>
    public virtual string[] Options => [];

    /// <param name="name">One of <see cref="Names"/>.</param>
    public static Task<SoakShape> StartAsync(string name) => name switch
    {
        "sentinel" => SentinelShape.StartAsync(),
        "cluster" => ClusterShape.StartAsync(),
        _ => StandaloneShape.StartAsync(),
    };

    /// <summary>The writers begin.</summary>
    public abstract FaultRun Start(KeyEvtProcess program, EventConsumer consumer);

    /// <summary>Every node is heard, or held back, as it should be.</summary>
    public abstract bool IsCovered(IReadOnlyDictionary<string, string> info);

    /// <summary>Whether an acknowledged key is there still. A master that is replaced takes writes until it knows; they are gone with it, and their events are not forwarded.</summary>
    public abstract Task<bool> HasAsync(string key);

    /// <summary>Flags taken away by the fault before are noticed within 2 s; a program that ends sooner cannot declare them any more.</summary>
    public async Task FlagsAsync()
    {
        foreach (var master in await MastersAsync())
            await Eventually.ValueAsync("the flags", async () => (await master.CallAsync("CONFIG", "GET", Flags)).Texts[1], flags => flags.Contains('$', StringComparison.Ordinal));
    }

    public abstract ValueTask DisposeAsync();

    protected abstract Task<IReadOnlyList<RedisServer>> MastersAsync();

    /// <summary>What happens to feeds, whichever node it is.</summary>
    protected IReadOnlyList<SoakFault> FeedFaults =>
    [
        new("R7 CLIENT KILL TYPE pubsub at a master", FaultSide.Feed, async (_, random) => await (await AnyAsync(random)).CallAsync("CLIENT", "KILL", "TYPE", "pubsub")),
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
