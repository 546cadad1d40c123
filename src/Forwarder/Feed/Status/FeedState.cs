namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>In which state is a feed?</summary>
public enum FeedState
{
    /// <summary>Not started, opening the connection, or in the handshake.</summary>
    Connecting,

    /// <summary>Connected, and subscribed to what is wanted.</summary>
    Subscribed,

    /// <summary>As Subscribed, but the node is a replica: what it sends is counted and not passed on.</summary>
    HeldBack,

    /// <summary>
    /// As one of these two, but the node has sent nothing for a while although an answer is due. It is busy or frozen, or the network is broken. The
    /// connection is kept, and what comes on it will be passed on.
    /// </summary>
    Silent,

    /// <summary>Waiting for the next attempt to connect.</summary>
    Down,

    /// <summary>Disposed, or ended by a bug (see NodeFeed.Completion).</summary>
    Stopped,
}
