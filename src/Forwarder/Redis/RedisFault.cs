using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How did a connection of a feed, or the attempt to make one, end?</summary>
internal enum RedisFaultKind
{
    /// <summary>The feed is being stopped, or the connection is no longer needed.</summary>
    Stopped,

    /// <summary>No connection came about.</summary>
    ConnectFailed,

    /// <summary>The node or the network closed the connection.</summary>
    Closed,

    /// <summary>Nothing was heard on it, though the node answered another connection; or for longer than anybody waits.</summary>
    Silent,

    /// <summary>Markers are answered but do not come back.</summary>
    SubscriptionLost,

    /// <summary>The login, or something that cannot be done without, was refused: will not change by itself.</summary>
    Refused,

    /// <summary>What came is not what a Redis of a known version sends.</summary>
    Protocol,
}

/// <summary>The end of one connection: its kind, and one line for people without secrets.</summary>
internal sealed record RedisFault(RedisFaultKind Kind, string Text)
{
    public GapCause Cause => Kind switch
    {
        RedisFaultKind.Silent => GapCause.Silent,
        RedisFaultKind.SubscriptionLost => GapCause.SubscriptionLost,
        _ => GapCause.ConnectionLost,
    };
}
