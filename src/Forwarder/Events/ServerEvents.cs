using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Events;

/// <summary>
/// Which letters of keyspace events does a server have, what does A stand for, and which event has which class? By its kind and version; immutable.
/// </summary>
/// <remarks>
/// Taken from the sources of the servers (keyspaceEventsStringToFlags, NOTIFY_ALL). It is what is expected of a server, and all that is known if
/// nothing may be set. What it really accepts shows only at CONFIG SET (<see cref="NodeLetters"/>).
/// </remarks>
/// <param name="Name">The server for people, such as "Valkey 9.1.2".</param>
/// <param name="Known">The letters that it accepts. <see cref="EventClass.Fields"/> stands for T.</param>
public sealed record ServerEvents(string Name, EventClass Known, EventClassTable Classes)
{
    /// <summary>The letters that every server since Redis 6.0 accepts.</summary>
    public const EventClass Oldest = (EventClass.All & ~EventClass.Module & ~EventClass.Array) | EventClass.KeyMiss;

    private static readonly Version WithModules = new(6, 2, 2), WithNew = new(7, 0), WithOverwritten = new(8, 2), WithFields = new(8, 8);

    /// <summary>For a server of which nothing is known yet: as for the newest Redis.</summary>
    public static ServerEvents Newest { get; } = Of("redis", "8.8");

    /// <summary>What A stands for at this server.</summary>
    public EventClass All => Known & EventClass.All;

    /// <param name="product">The name that HELLO gives: redis, valkey ...; empty if not told.</param>
    /// <param name="version">The product's own version; empty if not told.</param>
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

    /// <summary>What a user's letters mean at this server: A is the server's own A. Letters that it lacks are kept.</summary>
    public EventClass Meant(EventClass wanted) => wanted.HasFlag(EventClass.All) ? (wanted & ~EventClass.All) | All : wanted;
}
