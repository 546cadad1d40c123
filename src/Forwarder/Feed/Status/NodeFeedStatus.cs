using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>How is a feed doing, at one moment? Texts are one line each, without secrets and without keys.</summary>
public sealed record NodeFeedStatus
{
    /// <summary>The node's address, without secrets.</summary>
    public string Node { get; init; } = "";

    public FeedState State { get; init; }

    /// <summary>Whether it is subscribed to exactly what is wanted, and the flags were checked and set as far as allowed.</summary>
    public bool IsInStep { get; init; }

    public NodeRole Role { get; init; }

    /// <summary>All 40 hexadecimal digits; empty if INFO is refused.</summary>
    public string RunId { get; init; } = "";

    /// <summary>The version that INFO gives. For Valkey it is the Redis version that it is compatible with.</summary>
    public string RedisVersion { get; init; } = "";

    /// <summary>Kind and own version, such as "Valkey 9.1.2"; empty before the first connection.</summary>
    public string Server { get; init; } = "";

    /// <summary>Whether it is a node of a cluster.</summary>
    public bool IsCluster { get; init; }

    /// <summary>The last answer to CONFIG GET notify-keyspace-events; null if it was not asked, or may not be.</summary>
    public string? NotifyFlags { get; init; }

    /// <summary>Wanted letters of notify-keyspace-events that this server does not have.</summary>
    public string LackingFlags { get; init; } = "";

    /// <summary>One line that says why the wanted events do not come although the feed is subscribed. Null if they do, as far as is known.</summary>
    public string? FlagsFault { get; init; }

    /// <summary>The patterns of the subscription in force.</summary>
    public IReadOnlyList<string> Patterns { get; init; } = [];

    /// <summary>How the last connection or attempt ended; null if none has ended yet.</summary>
    public string? LastError { get; init; }

    /// <summary>What somebody should do, if something is refused or missing; else null.</summary>
    public string? RemedyText { get; init; }

    /// <summary>When the node was first known as the master that it is now, or null.</summary>
    public DateTimeOffset? MasterSince { get; init; }

    public long MarkersSent { get; init; }

    public long MarkersSeen { get; init; }

    /// <summary>Number of notifications read, whatever happened to them.</summary>
    public long Received { get; init; }

    /// <summary>How many of them were not passed on because the node was a replica.</summary>
    public long HeldBack { get; init; }

    /// <summary>Notifications that were not read because of their size. Not part of <see cref="Received"/>.</summary>
    public long Oversized { get; init; }

    /// <summary>Messages on a channel of notifications that are no notifications. Not part of <see cref="Received"/>.</summary>
    public long Refused { get; init; }

    /// <summary>Confirmed subscriptions that were lost again.</summary>
    public long Reconnects { get; init; }

    /// <summary>When the present subscription was confirmed; null if there is none.</summary>
    public DateTimeOffset? SubscribedAt { get; init; }

    public EventPosition Position { get; init; }
}
