using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace KeyEvt.Proxy.Metrics;

/// <summary>
/// In which format does a reader want the metrics? Decided by its Accept header: OpenMetrics if it asks for that, else the Prometheus text format.
/// </summary>
internal sealed class MetricsFormat
{
    private const string OpenMetricsType = "application/openmetrics-text";

    /// <summary>prometheus.io/docs/instrumenting/exposition_formats.</summary>
    public static readonly MetricsFormat Prometheus = new("text/plain; version=0.0.4; charset=utf-8");

    /// <summary>github.com/prometheus/OpenMetrics, specification 1.0.</summary>
    public static readonly MetricsFormat OpenMetrics = new($"{OpenMetricsType}; version=1.0.0; charset=utf-8");

    private MetricsFormat(string contentType) => ContentType = contentType;

    public string ContentType { get; }

    /// <param name="accept">The header's values; if there are none, the Prometheus format is used.</param>
    public static MetricsFormat For(StringValues accept)
    {
        if (!MediaTypeHeaderValue.TryParseList(accept, out var wanted)) return Prometheus;
        var open = wanted.Where(IsOpenMetrics).Select(Quality).DefaultIfEmpty(0).Max();
        var plain = wanted.Where(static type => !IsOpenMetrics(type) && type.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase)).Select(Quality).DefaultIfEmpty(0).Max();
        return open > 0 && open >= plain ? OpenMetrics : Prometheus;
    }

    /// <summary>Whether the type is OpenMetrics, of the version that is written here or of no given version.</summary>
    private static bool IsOpenMetrics(MediaTypeHeaderValue type) =>
        type.MediaType.Equals(OpenMetricsType, StringComparison.OrdinalIgnoreCase)
        && type.Parameters.All(static parameter => !parameter.Name.Equals("version", StringComparison.OrdinalIgnoreCase) || HeaderUtilities.RemoveQuotes(parameter.Value) == "1.0.0");

    private static double Quality(MediaTypeHeaderValue type) => type.Quality ?? 1;
}
