using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Files;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder;

/// <summary>Which options are fixed for one run of the engine?</summary>
public sealed record ForwarderOptions
{
    public UpstreamAddress Upstream { get; init; } = UpstreamAddress.Of(new RedisAddress { Host = "127.0.0.1", Port = RedisAddress.DefaultPort });

    /// <summary>The same for the feeds of all nodes.</summary>
    public NodeFeedOptions Feed { get; init; } = new();

    /// <summary>How long requests wait at most for a node's events to be heard; zero: they never wait.</summary>
    public TimeSpan CoverageWait { get; init; }

    /// <summary>Names this program to the broker and to Redis.</summary>
    public string Instance { get; init; } = "keyevt";

    /// <summary>The configuration at the start. A reset returns to it, but without its masks and rules.</summary>
    public ForwarderConfig Initial { get; init; } = new();

    /// <summary>Whether gaps are published as messages of their own.</summary>
    public bool PublishGaps { get; init; }

    /// <summary>Whether Redis keeps how far the streams have been read, so that the next run knows what it has missed.</summary>
    public bool KeepState { get; init; }

    /// <summary>The key under which Redis keeps it; null: this is not kept.</summary>
    public string? StateKey => KeepState ? FallbackKey.StateOf(GroupName) : null;

    /// <summary>The programs with this name before the same Redis act as one; null: the user has given none.</summary>
    public string? Group { get; init; }

    /// <summary>The same; where none was given, one that is made of where events go.</summary>
    public string GroupName => Group ?? DefaultGroup.Of(Initial);

    /// <summary>Whether Redis keeps the configuration of the group, so that it outlives its members.</summary>
    public bool KeepConfig { get; init; }

    /// <summary>The key under which Redis keeps it; null: this is not kept.</summary>
    public string? ConfigKey => KeepConfig ? FallbackKey.ConfigOf(GroupName) : null;

    /// <summary>What the messages of the group are sealed with; null: they are not.</summary>
    public Secret? GroupSecret { get; init; }

    public DeliveryOptions Delivery { get; init; } = new();
}
