using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder;

/// <summary>What is fixed for one run of the engine?</summary>
public sealed record ForwarderOptions
{
    public required UpstreamAddress Upstream { get; init; }

    /// <summary>For <c>rediss://</c>.</summary>
    public TlsClient UpstreamTls { get; init; } = TlsClient.OfSystem("--upstream");

    /// <summary>For <c>amqps://</c>.</summary>
    public TlsClient AmqpTls { get; init; } = TlsClient.OfSystem("--amqp");

    public NotifyMode NotifyMode { get; init; } = NotifyMode.Manage;

    /// <summary>How long requests wait, at most, for a node's events to be heard; zero: never.</summary>
    public TimeSpan CoverageWait { get; init; }

    /// <summary>Names this program to the broker and to Redis.</summary>
    public string Instance { get; init; } = "keyevt";

    /// <summary>The configuration at the start, and the one that a reset goes back to, without its masks.</summary>
    public ForwarderConfig Initial { get; init; } = new();

    /// <summary>Whether gaps are published as messages of their own.</summary>
    public bool PublishGaps { get; init; }

    /// <summary>Directory of the local store; null: none.</summary>
    public string? Spool { get; init; }

    /// <summary>Whether it is kept in Redis how far the streams have come, so that the next life knows what it has missed; null: not, else under which key.</summary>
    public string? StateKey { get; init; }

    public DeliveryOptions Delivery { get; init; } = new();
}
