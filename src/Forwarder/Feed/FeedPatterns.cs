namespace KeyEvt.Forwarder.Feed;

/// <summary>Which patterns bring the wanted classes?</summary>
/// <remarks>
/// Expired and evicted are one event name each; every other class has many, and modules bring more, so all are subscribed to. ACL rules for
/// channels compare patterns literally: a user needs exactly these granted.
/// </remarks>
internal static class FeedPatterns
{
    public const string All = "__keyevent@*__:*";
    public const string Expired = "__keyevent@*__:expired";
    public const string Evicted = "__keyevent@*__:evicted";

    public static IReadOnlyList<string> Of(EventClass wanted) => wanted switch
    {
        EventClass.None => [],
        EventClass.Expired => [Expired],
        EventClass.Evicted => [Evicted],
        EventClass.Expired | EventClass.Evicted => [Expired, Evicted],
        _ => [All],
    };
}
