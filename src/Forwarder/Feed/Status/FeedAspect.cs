namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>Which aspects of a node may need somebody's attention?</summary>
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
