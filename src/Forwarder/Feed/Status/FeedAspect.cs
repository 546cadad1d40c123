namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>What about a node can be less than it should be?</summary>
internal enum FeedAspect
{
    Login,
    Subscription,
    Flags,
    Letters,
    Fields,
    Marker,
    Role,
    Identity,
    Eviction,
    State,
}
