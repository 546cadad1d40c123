using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Proxy.Admin;

/// <summary>What has one instrument measured, for each set of its tags? Writes itself as Prometheus text (prometheus.io/docs/instrumenting/exposition_formats).</summary>
internal sealed class MetricFamily
{
    private enum Kind
    {
        /// <summary>Measurements are added up: Counter, UpDownCounter.</summary>
        Sum,

        /// <summary>The last measurement counts: Gauge and everything observable.</summary>
        Last,

        /// <summary>Measurements are sorted into buckets.</summary>
        Histogram,
    }

    private sealed class Series(int buckets)
    {
        public double Value;
        public long Count;
        public readonly long[] Buckets = new long[buckets];
    }

    private static readonly double[] SecondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);
    private readonly Kind _kind;
    private readonly double[] _bounds = [];
    private readonly string _type;
    private readonly string? _help;

    public MetricFamily(Instrument instrument)
    {
        string open = instrument.GetType().GetGenericTypeDefinition().Name.Split('`')[0];
        bool counter = open is "Counter" or "ObservableCounter";
        _kind = open switch { "Histogram" => Kind.Histogram, "Counter" or "UpDownCounter" => Kind.Sum, _ => Kind.Last };
        _type = _kind == Kind.Histogram ? "histogram" : counter ? "counter" : "gauge";
        if (_kind == Kind.Histogram) _bounds = BoundsOf(instrument) ?? SecondsBuckets;
        _help = instrument.Description;
        Name = PrometheusName(instrument.Name, instrument.Unit, counter);
    }

    public string Name { get; }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = tags.IsEmpty ? "" : Labels(tags);
        lock (_gate)
        {
            if (!_series.TryGetValue(labels, out var series)) _series[labels] = series = new Series(_bounds.Length);
            series.Value = _kind == Kind.Last ? value : series.Value + value;
            series.Count++;
            int bucket = Array.FindIndex(_bounds, bound => value <= bound);
            if (bucket >= 0) series.Buckets[bucket]++;
        }
    }

    public void WriteTo(StringBuilder text)
    {
        lock (_gate)
        {
            if (_series.Count == 0) return;
            if (_help is not null) text.Append("# HELP ").Append(Name).Append(' ').Append(Escape(_help)).Append('\n');
            text.Append("# TYPE ").Append(Name).Append(' ').Append(_type).Append('\n');
            foreach (var (labels, series) in _series)
            {
                if (_kind == Kind.Histogram) WriteHistogram(text, labels, series);
                else WriteSample(text, Name, labels, series.Value);
            }
        }
    }

    public static void WriteSample(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary><c>keyevt.feed.lag</c> with unit s becomes <c>keyevt_feed_lag_seconds</c>; a counter ends in <c>_total</c>.</summary>
    public static string PrometheusName(string name, string? unit, bool counter)
    {
        var text = new StringBuilder(name.Length + 16);
        foreach (char c in name) text.Append(char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_');
        string suffix = unit switch { "s" => "_seconds", "ms" => "_milliseconds", "By" => "_bytes", _ => "" };
        if (!text.ToString().EndsWith(suffix, StringComparison.Ordinal)) text.Append(suffix);
        if (counter && !text.ToString().EndsWith("_total", StringComparison.Ordinal)) text.Append("_total");
        return text.ToString();
    }

    private void WriteHistogram(StringBuilder text, string labels, Series series)
    {
        string before = labels.Length > 0 ? labels + "," : "";
        long below = 0;
        for (int i = 0; i < _bounds.Length; i++)
        {
            below += series.Buckets[i];
            WriteSample(text, Name + "_bucket", $"{before}le=\"{Number(_bounds[i])}\"", below);
        }
        WriteSample(text, Name + "_bucket", before + "le=\"+Inf\"", series.Count);
        WriteSample(text, Name + "_sum", labels, series.Value);
        WriteSample(text, Name + "_count", labels, series.Count);
    }

    /// <summary>The bounds the instrument itself advises.</summary>
    private static double[]? BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> h => h.Advice?.HistogramBucketBoundaries is { } bounds ? [.. bounds] : null,
        Histogram<long> h => h.Advice?.HistogramBucketBoundaries is { } bounds ? [.. bounds.Select(bound => (double)bound)] : null,
        Histogram<int> h => h.Advice?.HistogramBucketBoundaries is { } bounds ? [.. bounds.Select(bound => (double)bound)] : null,
        _ => null,
    };

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var sorted = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in tags) sorted[PrometheusName(key, null, counter: false)] = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return string.Join(',', sorted.Select(label => $"{label.Key}=\"{Escape(label.Value).Replace("\"", "\\\"", StringComparison.Ordinal)}\""));
    }

    /// <summary>A line break has a place in this format; nothing else that a terminal would obey has.</summary>
    private static string Escape(string text) => CleanText.Line(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal));

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
