using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Proxy.Metrics;

/// <summary>What has one instrument measured up to a moment?</summary>
/// <param name="Help">For people; empty: nobody has said it.</param>
/// <param name="Bounds">Upper ends of a histogram's buckets, in order, without the last, which is infinite.</param>
/// <param name="Series">In the order of their labels.</param>
internal sealed record MetricSnapshot(PrometheusName Name, MetricKind Kind, string Help, IReadOnlyList<double> Bounds, IReadOnlyList<SeriesSnapshot> Series);

/// <summary>One set of tags.</summary>
/// <param name="Labels">As they stand between the braces; empty: there are none.</param>
/// <param name="Value">Of a histogram the sum.</param>
/// <param name="Count">Of a histogram: measurements.</param>
/// <param name="Buckets">Of a histogram: measurements in each bucket, not added up.</param>
internal readonly record struct SeriesSnapshot(string Labels, double Value, long Count, IReadOnlyList<long> Buckets);
