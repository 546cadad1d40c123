using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Feed;

/// <summary>How is a feed, at one moment? Texts are one line each, without secrets and without keys.</summary>
public sealed record NodeFeedStatus
{
    /// <summary>The node's address, without secrets.</summary>
    public string Node { get; init; } = "";

    public FeedState State { get; init; }

    /// <summary>Subscribed to just what is wanted, and the flags looked after as far as that is allowed.</summary>
    public bool IsInStep { get; init; }

    public NodeRole Role { get; init; }

    /// <summary>All 40 hexadecimal digits, or empty where INFO is refused.</summary>
    public string RunId { get; init; } = "";

    public string RedisVersion { get; init; } = "";

    /// <summary>It is a node of a cluster.</summary>
    public bool IsCluster { get; init; }

    /// <summary>What CONFIG GET notify-keyspace-events printed last, or null when it was not or may not be asked.</summary>
    public string? NotifyFlags { get; init; }

    /// <summary>The patterns of the subscription in force.</summary>
    public IReadOnlyList<string> Patterns { get; init; } = [];

    /// <summary>How the last connection or attempt ended; null when none ended yet.</summary>
    public string? LastError { get; init; }

    /// <summary>What somebody should do, when something is refused or missing; else null.</summary>
    public string? RemedyText { get; init; }

    /// <summary>When the node was first known as the master that it is now, or null.</summary>
    public DateTimeOffset? MasterSince { get; init; }

    public long MarkersSent { get; init; }

    public long MarkersSeen { get; init; }

    /// <summary>Notifications read, whatever became of them.</summary>
    public long Received { get; init; }

    /// <summary>Those of them not passed on because the node was a replica.</summary>
    public long HeldBack { get; init; }

    /// <summary>Those not read because of their size, not part of <see cref="Received"/>.</summary>
    public long Oversized { get; init; }

    /// <summary>Confirmed subscriptions that were lost again.</summary>
    public long Reconnects { get; init; }

    /// <summary>When the present subscription was confirmed, or null.</summary>
    public DateTimeOffset? SubscribedAt { get; init; }

    public EventPosition Position { get; init; }
}
