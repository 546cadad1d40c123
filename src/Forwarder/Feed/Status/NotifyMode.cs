namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>What may the program do about a node's notify-keyspace-events?</summary>
public enum NotifyMode
{
    /// <summary>Add missing flags, also after each reconnect and after somebody takes them away.</summary>
    Manage,

    /// <summary>Only check: missing flags are reported, and the time without them is a gap.</summary>
    Verify,

    /// <summary>Never ask for it: whoever set the node up is responsible for it.</summary>
    Off,
}
