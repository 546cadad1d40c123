using KeyEvt.Forwarder.Fallback.Spool;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>One store, and its name for messages to people.</summary>
internal sealed record NamedStore(string Name, IEventStore Store)
{
    /// <summary>The place of a list while no master is known.</summary>
    public const string Nowhere = "nobody";

    /// <summary>Whether the cap of the lists in Redis applies to it.</summary>
    public bool IsCapped { get; init; } = true;

    /// <summary>Whether this program may use it. A list belongs to the holder of the stream of the master that has it. Asked often; any thread.</summary>
    public Func<bool> IsOurs { get; init; } = static () => true;

    /// <summary>Whether another member is known to be that holder. In a failover it is nobody for a moment.</summary>
    public Func<bool> IsAnothers { get; init; } = static () => false;

    /// <summary>Where the store is at the moment, for messages to people, and to notice that it is elsewhere.</summary>
    public Func<string> Place { get; init; } = static () => "";

    public static NamedStore Of(LocalSpool spool) => new("spool", spool) { IsCapped = false, Place = () => spool.Folder };
}
