using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Which patterns bring what is wanted?</summary>
/// <remarks>
/// Expired and evicted are one event name each (at Valkey expired is two); every other class has many, and modules bring more, so all are subscribed to. ACL rules for
/// channels compare patterns literally: <c>&amp;__keyevent@*__:*</c> does not allow <see cref="Expired"/>. So where a narrow pattern is refused, all are subscribed to.
/// </remarks>
public static class FeedPatterns
{
    public const string All = "__keyevent@*__:*";
    public const string Expired = "__keyevent@*__:expired";
    public const string ExpiredFields = "__keyevent@*__:hexpired";
    public const string Evicted = "__keyevent@*__:evicted";

    /// <summary>The same events once more, with the fields of the hash (Redis 8.8, letter T).</summary>
    public const string Fields = "__subkeyevent@*__:*";

    /// <param name="wanted">What the server has of it.</param>
    /// <param name="classes">The server's.</param>
    /// <param name="refused">Patterns that this user may not subscribe to, and which something can be done without.</param>
    public static IReadOnlyList<string> Of(EventClass wanted, EventClassTable classes, IReadOnlySet<string> refused)
    {
        IReadOnlyList<string> narrow = [.. Narrow(wanted & ~EventClass.Fields, classes)];
        var events = narrow.Any(refused.Contains) ? [All] : narrow;
        return wanted.HasFlag(EventClass.Fields) && events.Count > 0 && !refused.Contains(Fields) ? [.. events, Fields] : events;
    }

    /// <summary>Whether there is another way where it is refused.</summary>
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
