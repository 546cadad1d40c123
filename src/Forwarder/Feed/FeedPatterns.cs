using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Which patterns bring what is wanted?</summary>
/// <remarks>
/// Expired and evicted have one event name each (expired has two on Valkey). Every other class has many names, and modules add more, so for those all
/// events are subscribed to. ACL rules for channels compare patterns literally: <c>&amp;__keyevent@*__:*</c> does not allow <see cref="Expired"/>. So
/// if a narrow pattern is refused, all events are subscribed to.
/// </remarks>
public static class FeedPatterns
{
    public const string All = "__keyevent@*__:*";
    public const string Expired = "__keyevent@*__:expired";
    public const string ExpiredFields = "__keyevent@*__:hexpired";
    public const string Evicted = "__keyevent@*__:evicted";

    /// <summary>The same events once more, with the fields of the hash (Redis 8.8, letter T).</summary>
    public const string Fields = "__subkeyevent@*__:*";

    /// <param name="wanted">The wanted classes that the server has.</param>
    /// <param name="classes">The server's table of event names.</param>
    /// <param name="refused">Dispensable patterns that this user may not subscribe to.</param>
    public static IReadOnlyList<string> Of(EventClass wanted, EventClassTable classes, IReadOnlySet<string> refused)
    {
        IReadOnlyList<string> narrow = [.. Narrow(wanted & ~EventClass.Fields, classes)];
        var events = narrow.Any(refused.Contains) ? [All] : narrow;
        return wanted.HasFlag(EventClass.Fields) && events.Count > 0 && !refused.Contains(Fields) ? [.. events, Fields] : events;
    }

    /// <summary>Whether the feed can do without this pattern if it is refused.</summary>
    public static bool IsDispensable(string pattern) => pattern != All;

    private static IEnumerable<string> Narrow(EventClass wanted, EventClassTable classes)
    {
        if (wanted == EventClass.None) yield break;

        if ((wanted & ~(EventClass.Expired | EventClass.Evicted)) != EventClass.None)
        {
            yield return All;
            yield break;
        }

        if (wanted.HasFlag(EventClass.Expired))
        {
            yield return Expired;
            if (classes.Of("hexpired"u8).HasFlag(EventClass.Expired)) yield return ExpiredFields;
        }

        if (wanted.HasFlag(EventClass.Evicted)) yield return Evicted;
    }
}
