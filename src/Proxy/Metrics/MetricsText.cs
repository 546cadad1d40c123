using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Proxy.Metrics;

/// <summary>What does /metrics say? Every instrument with its type and meaning, as Prometheus text or as OpenMetrics.</summary>
internal sealed class MetricsText
{
    private readonly StringBuilder _text = new(16 * 1024);
    private readonly bool _isOpen;

    private MetricsText(MetricsFormat format) => _isOpen = format == MetricsFormat.OpenMetrics;

    public static string Write(IEnumerable<MetricSnapshot> metrics, MetricsFormat format)
    {
        var page = new MetricsText(format);
        foreach (var metric in metrics)
        {
            if (metric.Series.Count > 0) page.Write(metric);
        }

        if (page._isOpen) page._text.Append("# EOF\n");
        return page._text.ToString();
    }

    private void Write(MetricSnapshot metric)
    {
        var family = _isOpen ? metric.Name.Family : metric.Name.Sample;
        if (metric.Help.Length > 0)
        {
            Comment("HELP", family, _isOpen ? PrometheusLabels.EscapeWithQuotes(metric.Help) : PrometheusLabels.Escape(metric.Help));
        }

        Comment("TYPE", family, metric.Kind switch { MetricKind.Counter => "counter", MetricKind.Histogram => "histogram", _ => "gauge" });
        if (_isOpen && metric.Name.Unit.Length > 0) Comment("UNIT", family, metric.Name.Unit);
        foreach (var series in metric.Series)
        {
            if (metric.Kind == MetricKind.Histogram) WriteHistogram(metric, series);
            else Sample(metric.Name.Sample, series.Labels, series.Value);
        }
    }

    private void WriteHistogram(MetricSnapshot metric, in SeriesSnapshot series)
    {
        var name = metric.Name.Family;
        var before = series.Labels.Length > 0 ? series.Labels + "," : "";
        long below = 0;
        for (var i = 0; i < metric.Bounds.Count; i++)
        {
            below += series.Buckets[i];
            Sample(name + "_bucket", $"{before}le=\"{Bound(metric.Bounds[i])}\"", below);
        }

        Sample(name + "_bucket", before + "le=\"+Inf\"", series.Count);
        Sample(name + "_sum", series.Labels, series.Value);
        Sample(name + "_count", series.Labels, series.Count);
    }

    private void Comment(string what, string name, string text) => _text.Append("# ").Append(what).Append(' ').Append(name).Append(' ').Append(text).Append('\n');

    private void Sample(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0) _text.Append('{').Append(labels).Append('}');
        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>The bound as text. OpenMetrics requires 1.0 where the older format has 1.</summary>
    private string Bound(double value)
    {
        var text = Number(value);
        return _isOpen && text.All(char.IsAsciiDigit) ? text + ".0" : text;
    }

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
