using KeyEvt.Forwarder.Fallback.Spool;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>One store, and its name for messages to people.</summary>
internal sealed record NamedStore(string Name, IEventStore Store)
{
    /// <summary>Whether the cap of the lists in Redis applies to it.</summary>
    public bool IsCapped { get; init; } = true;

    /// <summary>
    /// In a group: whether this program may use it. The lists of a cluster belong each to the holder of one master's stream. Asked often; any thread.
    /// </summary>
    public Func<bool> IsOurs { get; init; } = static () => true;

    /// <summary>Where the store is at the moment, for messages to people.</summary>
    public Func<string> Place { get; init; } = static () => "";

    public static NamedStore Of(LocalSpool spool) => new("spool", spool) { IsCapped = false, Place = () => spool.Folder };
}
