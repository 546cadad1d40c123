namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>What may be done about a node's notify-keyspace-events?</summary>
public enum NotifyMode
{
    /// <summary>Missing flags are added, again after each reconnect and when somebody takes them away.</summary>
    Manage,

    /// <summary>Looked at only: missing flags are reported, and the span without them is a gap.</summary>
    Verify,

    /// <summary>Never asked for: whoever set the node up sees to it.</summary>
    Off,
}
