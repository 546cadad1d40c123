using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How did a connection of a feed end, or the attempt to open one?</summary>
internal enum RedisFaultKind
{
    /// <summary>The feed is being stopped, or the connection is no longer needed.</summary>
    Stopped,

    /// <summary>The connection could not be opened.</summary>
    ConnectFailed,

    /// <summary>The node or the network closed the connection.</summary>
    Closed,

    /// <summary>Nothing came on it, although the node answered another connection; or nothing came for longer than the limit.</summary>
    Silent,

    /// <summary>Markers are answered but do not come back.</summary>
    SubscriptionLost,

    /// <summary>The login, or something indispensable, was refused. This will not change by itself.</summary>
    Refused,

    /// <summary>Something came that no Redis of a known version sends.</summary>
    Protocol,
}

/// <summary>Why one connection ended: a kind, and one line for people without secrets.</summary>
internal sealed record RedisFault(RedisFaultKind Kind, string Text)
{
    public GapCause Cause => Kind switch
    {
        RedisFaultKind.Silent => GapCause.Silent,
        RedisFaultKind.SubscriptionLost => GapCause.SubscriptionLost,
        _ => GapCause.ConnectionLost,
    };
}
