using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder;

/// <summary>Which metrics does the forwarder have?</summary>
public static class ForwarderMetrics
{
    /// <summary>The meter of all its instruments.</summary>
    public const string MeterName = "KeyEvt.Forwarder";

    private static readonly MetricDefinition Background = new(MetricKind.Gauge, "keyevt.background.tasks", "{task}", "Tasks that nobody waits for, such as closing a dead connection. A number that does not come back to 0 tells that something hangs.");

    /// <summary>All areas, in the order of docs/metrics.md.</summary>
    public static IReadOnlyList<MetricArea> Areas { get; } =
    [
        new("Events", [.. LedgerMetrics.Definitions, .. ConfirmTimes.OfEvents]),
        new("Feeds", FeedMetrics.OfFeeds),
        new("Group", GroupMetrics.Definitions),
        new("Upstream", [.. FeedMetrics.OfUpstream, .. CoverageMetrics.Definitions]),
        new("Broker", BrokerMetrics.Definitions),
        new("Places where events wait", StoreMetrics.Definitions),
        new("Program", [Background]),
    ];

    internal static void AddBackground(Meter meter, BackgroundTasks tasks) => meter.Observe(Background, () => tasks.Count);
}
