using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder;

/// <summary>What is fixed for one run of the engine?</summary>
public sealed record ForwarderOptions
{
    public UpstreamAddress Upstream { get; init; } = UpstreamAddress.Of(new RedisAddress { Host = "127.0.0.1", Port = RedisAddress.DefaultPort });

    /// <summary>The same for the feeds of all nodes.</summary>
    public NodeFeedOptions Feed { get; init; } = new();

    /// <summary>How long requests wait, at most, for a node's events to be heard; zero: never.</summary>
    public TimeSpan CoverageWait { get; init; }

    /// <summary>Names this program to the broker and to Redis.</summary>
    public string Instance { get; init; } = "keyevt";

    /// <summary>The same where it was given; null: it is a random one.</summary>
    public string? NamedInstance { get; init; }

    /// <summary>The configuration at the start, and the one that a reset goes back to, without its masks.</summary>
    public ForwarderConfig Initial { get; init; } = new();

    /// <summary>Whether gaps are published as messages of their own.</summary>
    public bool PublishGaps { get; init; }

    /// <summary>Whether it is kept in Redis how far the streams have come, so that the next life knows what it has missed.</summary>
    public bool KeepState { get; init; }

    /// <summary>Under which key; null: it is not kept.</summary>
    public string? StateKey => KeepState ? FallbackKey.StateOf(NamedInstance) : null;

    public DeliveryOptions Delivery { get; init; } = new();
}
