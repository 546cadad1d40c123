namespace KeyEvt.Forwarder.Metrics;

/// <summary>Metrics that stand together in docs/metrics.md.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Definitions">In the order in which they are shown.</param>
public sealed record MetricArea(string Title, IReadOnlyList<MetricDefinition> Definitions);
