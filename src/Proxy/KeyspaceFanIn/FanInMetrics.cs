using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>What do metrics tell of merged subscriptions?</summary>
internal static class FanInMetrics
{
    private static readonly MetricDefinition Subscribers = new(MetricKind.Gauge, "keyevt.merge.subscribers", "{session}", "Clients that are subscribed to the notifications of all masters (--merge-keyspace).");
    private static readonly MetricDefinition Connections = new(MetricKind.Gauge, "keyevt.merge.connections", "{connection}", "Connections to masters that KeyEvt has for merged subscriptions.");
    private static readonly MetricDefinition Cut = new(MetricKind.Counter, "keyevt.merge.subscribers.cut", "{session}", "Clients subscribed to all masters that were cut because they did not read.");

    public static IReadOnlyList<MetricDefinition> Definitions { get; } = [Subscribers, Connections, Cut];

    /// <param name="services">Null: no subscriptions are merged.</param>
    public static void Add(Meter meter, FanInHub? services)
    {
        meter.Observe(Subscribers, () => services?.Subscribers ?? 0);
        meter.Observe(Connections, () => services?.Connections ?? 0);
        meter.Observe(Cut, () => services?.SubscribersCut ?? 0);
    }
}
