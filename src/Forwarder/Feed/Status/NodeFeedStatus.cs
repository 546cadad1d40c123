using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed.Status;

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

    /// <summary>As INFO has it; of Valkey it is that of the Redis it is compatible with.</summary>
    public string RedisVersion { get; init; } = "";

    /// <summary>Kind and own version, such as "Valkey 9.1.2"; empty before the first connection.</summary>
    public string Server { get; init; } = "";

    /// <summary>It is a node of a cluster.</summary>
    public bool IsCluster { get; init; }

    /// <summary>What CONFIG GET notify-keyspace-events printed last, or null when it was not or may not be asked.</summary>
    public string? NotifyFlags { get; init; }

    /// <summary>Wanted letters of notify-keyspace-events that this server does not have.</summary>
    public string LackingFlags { get; init; } = "";

    /// <summary>Why the wanted events do not come though the feed is subscribed, in one line; null: they do, as far as is known.</summary>
    public string? FlagsFault { get; init; }

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

    /// <summary>Messages on a channel of notifications that are none, not part of <see cref="Received"/>.</summary>
    public long Refused { get; init; }

    /// <summary>Confirmed subscriptions that were lost again.</summary>
    public long Reconnects { get; init; }

    /// <summary>When the present subscription was confirmed, or null.</summary>
    public DateTimeOffset? SubscribedAt { get; init; }

    public EventPosition Position { get; init; }
}
