using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder;

/// <summary>Which options are fixed for one run of the engine?</summary>
public sealed record ForwarderOptions
{
    public required UpstreamAddress Upstream { get; init; }

    /// <summary>TLS for <c>rediss://</c>.</summary>
    public TlsClient UpstreamTls { get; init; } = TlsClient.OfSystem("--upstream");

    /// <summary>TLS for <c>amqps://</c>.</summary>
    public TlsClient AmqpTls { get; init; } = TlsClient.OfSystem("--amqp");

    public NotifyMode NotifyMode { get; init; } = NotifyMode.Manage;

    /// <summary>How long requests wait at most for a node's events to be heard; zero: they never wait.</summary>
    public TimeSpan CoverageWait { get; init; }

    /// <summary>Names this program to the broker and to Redis.</summary>
    public string Instance { get; init; } = "keyevt";

    /// <summary>The configuration at the start. A reset returns to it, but without its masks and rules.</summary>
    public ForwarderConfig Initial { get; init; } = new();

    /// <summary>Whether gaps are published as messages of their own.</summary>
    public bool PublishGaps { get; init; }

    /// <summary>Directory of the spool; null if there is none.</summary>
    public string? Spool { get; init; }

    /// <summary>
    /// The key under which Redis keeps how far the streams have been read, so that the next run knows what it has missed. Null: this is not kept.
    /// </summary>
    public string? StateKey { get; init; }

    public DeliveryOptions Delivery { get; init; } = new();
}
