namespace KeyEvt.Forwarder.Metrics;

/// <summary>How is a metric to be read?</summary>
public enum MetricKind
{
    /// <summary>Only grows while the program runs: its rate says how fast.</summary>
    Counter,

    /// <summary>How things are at the moment.</summary>
    Gauge,

    /// <summary>How many measurements were at most so long: for percentiles.</summary>
    Histogram,
}
