using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>What do metrics report about requests that waited until the events of their node were heard?</summary>
internal static class CoverageMetrics
{
    private static readonly MetricDefinition Waits = new(MetricKind.Counter, "keyevt.coverage.waits", "{wait}", "Times that a session's requests waited until the events of their node were heard again.");
    private static readonly MetricDefinition TimeOuts = new(MetricKind.Counter, "keyevt.coverage.timeouts", "{wait}", "Times that such a wait was over before the events were heard: --coverage-wait is the longest.");

    public static IReadOnlyList<MetricDefinition> Definitions { get; } = [Waits, TimeOuts];

    public static void Add(Meter meter, CoverageGateRegistry gates)
    {
        meter.Observe(Waits, () => gates.Waits);
        meter.Observe(TimeOuts, () => gates.RanOut);
    }
}
