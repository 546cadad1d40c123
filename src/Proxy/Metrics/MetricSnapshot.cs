using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Proxy.Metrics;

/// <summary>What has one instrument measured up to a moment?</summary>
/// <param name="Help">The instrument's description for people; may be empty.</param>
/// <param name="Bounds">Upper ends of a histogram's buckets in order, without the last one, which is infinite.</param>
/// <param name="Series">All series, in the order of their labels.</param>
internal sealed record MetricSnapshot(PrometheusName Name, MetricKind Kind, string Help, IReadOnlyList<double> Bounds, IReadOnlyList<SeriesSnapshot> Series);

/// <summary>The values for one set of tags.</summary>
/// <param name="Labels">The text between the braces; empty if there are no labels.</param>
/// <param name="Value">The value; for a histogram the sum of all measurements.</param>
/// <param name="Count">For a histogram the number of measurements.</param>
/// <param name="Buckets">For a histogram the number of measurements in each bucket, not cumulative.</param>
internal readonly record struct SeriesSnapshot(string Labels, double Value, long Count, IReadOnlyList<long> Buckets);
