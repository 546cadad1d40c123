namespace KeyEvt.Forwarder.Feed;

/// <summary>Where in its life is a feed?</summary>
public enum FeedState
{
    /// <summary>Not started, opening the connection, or in the handshake.</summary>
    Connecting,

    /// <summary>Connected, and subscribed to what is wanted.</summary>
    Subscribed,

    /// <summary>As Subscribed, but the node is a replica: what it sends is counted and not passed on.</summary>
    HeldBack,

    /// <summary>Waiting for the next attempt to connect.</summary>
    Down,

    /// <summary>Disposed, or dead of a fault of its own (see NodeFeed.Completion).</summary>
    Stopped,
}
