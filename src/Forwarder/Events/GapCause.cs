namespace KeyEvt.Forwarder.Events;

/// <summary>Why were a node's events not covered?</summary>
public enum GapCause
{
    /// <summary>The connection closed: restart, CLIENT KILL, an ACL change, the node's output buffer limit, the network.</summary>
    ConnectionLost,

    /// <summary>The node, or the way to it, went silent.</summary>
    Silent,

    /// <summary>The connection lived, the subscription did not: a marker did not come back though the one after it was answered.</summary>
    SubscriptionLost,

    /// <summary>notify-keyspace-events had no longer what is needed.</summary>
    FlagsMissing,

    /// <summary>A replica became a master: notifications between the last answer "slave" and the first "master" were held back.</summary>
    Promoted,

    /// <summary>One notification was too large to be read.</summary>
    Oversized,

    /// <summary>This program did not run.</summary>
    NotRunning,
}
