using KeyEvt.Forwarder.Feed.Coverage;

namespace KeyEvt.Forwarder.Events;

/// <summary>In which span may a node's events be missing, and why? Both ends lean outward: the real gap is never longer than the record.</summary>
public sealed record Gap
{
    /// <summary>Numbers the gaps of one <see cref="GapLog"/>, from 1.</summary>
    public long Id { get; init; }

    /// <summary>The node's address, without secrets.</summary>
    public required string Node { get; init; }

    public required GapCause Cause { get; init; }

    /// <summary>The cause in words, one line.</summary>
    public required string Detail { get; init; }

    /// <summary>The last moment for which coverage is proven: when the last answered command was sent. By this machine's wall clock.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>When covered again; null while the gap is open.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>From From to To by a clock that does not jump; null while the gap is open.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Where the feed stood in the node's stream before the gap.</summary>
    public required EventPosition LastPosition { get; init; }

    /// <summary>Where the stream goes on after the gap; null while the gap is open.</summary>
    public EventPosition? FirstPosition { get; init; }

    public bool IsOpen => To is null;
}
