namespace KeyEvt.Forwarder.Events;

/// <summary>Why were a node's events not covered?</summary>
public enum GapCause
{
    /// <summary>The connection closed: restart, CLIENT KILL, an ACL change, the node's output buffer limit, the network.</summary>
    ConnectionLost,

    /// <summary>The node was silent, or the network to it broken.</summary>
    Silent,

    /// <summary>The connection worked but the subscription did not: a marker did not come back although the next one was answered.</summary>
    SubscriptionLost,

    /// <summary>notify-keyspace-events lacked needed flags.</summary>
    FlagsMissing,

    /// <summary>A replica became a master, and notifications between its last answer "slave" and its first "master" were held back.</summary>
    Promoted,

    /// <summary>One notification was too large to be read.</summary>
    Oversized,

    /// <summary>This program did not run.</summary>
    NotRunning,
}
