using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>How does a group stand before one node, as seen by this member at one moment?</summary>
internal sealed record StreamGroupStatus
{
    public bool IsKnown { get; init; }

    public bool IsHolder { get; init; }

    /// <summary>Whether there is something to deliver: the node is a master.</summary>
    public bool IsServing { get; init; } = true;

    /// <summary>The name of the holder; null: none, or not known.</summary>
    public string? Holder { get; init; }

    /// <summary>The name of the last holder that was known in this stream.</summary>
    public string? LastHolder { get; init; }

    /// <summary>The number of the claim in force.</summary>
    public long Term { get; init; }

    public StreamPlace Watermark { get; init; }

    /// <summary>The version of the configuration in force.</summary>
    public long ConfigVersion { get; init; }

    public ulong RunId { get; init; }

    public int KeptBytes { get; init; }

    public long KeptCount { get; init; }

    public bool ReachesBack { get; init; }

    /// <summary>How often this program has become the holder.</summary>
    public int Handovers { get; init; }

    /// <summary>How long the last handover to this program took, from the last word of the holder before it.</summary>
    public TimeSpan? LastHandover { get; init; }

    /// <summary>How many events this program passed on from what it had kept, at the last handover to it.</summary>
    public long LastReplayed { get; init; }

    /// <summary>The members that are there, this one first.</summary>
    public IReadOnlyList<Peer> Peers { get; init; } = [];

    /// <summary>Messages of this group in a version that this program does not read.</summary>
    public long OtherVersions { get; init; }

    /// <summary>Messages that name this group and this stream, but are not sealed rightly or say nothing that this program knows.</summary>
    public long Unreadable { get; init; }
}
