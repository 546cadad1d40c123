using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Events;

/// <summary>What does a server know of keyspace events: which letters, what A stands for, which event is of which class? By its kind and version; immutable.</summary>
/// <remarks>
/// From the sources of the servers (keyspaceEventsStringToFlags, NOTIFY_ALL). It is what is expected of a server, and all that can be known where nothing may be
/// set: what it really takes is found out by CONFIG SET (<see cref="NodeLetters"/>).
/// </remarks>
/// <param name="Name">For people, such as "Valkey 9.1.2".</param>
/// <param name="Known">The letters that it takes. <see cref="EventClass.Fields"/> stands for T.</param>
public sealed record ServerEvents(string Name, EventClass Known, EventClassTable Classes)
{
    /// <summary>What every server since Redis 6.0 takes.</summary>
    public const EventClass Oldest = (EventClass.All & ~EventClass.Module & ~EventClass.Array) | EventClass.KeyMiss;

    private static readonly Version WithModules = new(6, 2, 2), WithNew = new(7, 0), WithOverwritten = new(8, 2), WithFields = new(8, 8);

    /// <summary>Nothing is known of the server yet: as the newest Redis.</summary>
    public static ServerEvents Newest { get; } = Of("redis", "8.8");

    /// <summary>What A stands for there.</summary>
    public EventClass All => Known & EventClass.All;

    /// <param name="product">As HELLO names it: redis, valkey ...; empty: not told.</param>
    /// <param name="version">The product's own; empty: not told.</param>
    public static ServerEvents Of(string product, string version)
    {
        var isValkey = product.Equals("valkey", StringComparison.OrdinalIgnoreCase);
        var name = $"{(product.Length == 0 || product.Equals("redis", StringComparison.OrdinalIgnoreCase) ? "Redis" : isValkey ? "Valkey" : CleanText.Server(product))} {CleanText.Server(version)}".TrimEnd();
        if (isValkey) return new ServerEvents(name, Oldest | EventClass.Module | EventClass.New, EventClassTable.Valkey);

        var number = Version.TryParse(version, out var parsed) ? parsed : WithNew;
        var known = Oldest
            | (number >= WithModules ? EventClass.Module : EventClass.None)
            | (number >= WithNew ? EventClass.New : EventClass.None)
            | (number >= WithOverwritten ? EventClass.Overwritten | EventClass.TypeChanged : EventClass.None)
            | (number >= WithFields ? EventClass.Array | EventClass.Fields : EventClass.None);
        return new ServerEvents(name, known, number >= WithFields ? EventClassTable.RedisWithArrays : EventClassTable.Redis);
    }

    /// <summary>What a user's letters mean there: A is the server's A. Letters that it lacks are still among them.</summary>
    public EventClass Meant(EventClass wanted) => wanted.HasFlag(EventClass.All) ? (wanted & ~EventClass.All) | All : wanted;
}
