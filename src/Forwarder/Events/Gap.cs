using KeyEvt.Forwarder.Feed.Coverage;

namespace KeyEvt.Forwarder.Events;

/// <summary>
/// In which time span may a node's events be missing, and why? Both ends are rounded outwards: the real gap is never longer than this record.
/// </summary>
public sealed record Gap
{
    /// <summary>Number of the gap within its <see cref="GapLog"/>, from 1.</summary>
    public long Id { get; init; }

    /// <summary>The node's address, without secrets.</summary>
    public required string Node { get; init; }

    public required GapCause Cause { get; init; }

    /// <summary>The cause in words, one line.</summary>
    public required string Detail { get; init; }

    /// <summary>The last moment for which coverage is proven: when the last answered command was sent. By this machine's wall clock.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>When the node was covered again; null while the gap is open.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Time between <see cref="From"/> and <see cref="To"/> by the monotonic clock; null while the gap is open.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>The feed's position in the node's stream before the gap.</summary>
    public required EventPosition LastPosition { get; init; }

    /// <summary>The position at which the stream continues after the gap; null while the gap is open.</summary>
    public EventPosition? FirstPosition { get; init; }

    public bool IsOpen => To is null;
}
