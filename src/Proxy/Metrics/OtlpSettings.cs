namespace KeyEvt.Proxy.Metrics;

/// <summary>
/// What do the environment variables <c>OTEL_*</c> ask for? The OpenTelemetry library itself reads those for all signals. This type says whether
/// metrics are sent at all, and which values are for metrics only.
/// </summary>
/// <param name="Endpoint">The endpoint for metrics only; null to use the general one.</param>
/// <param name="Headers">The headers for metrics only; null to use the general ones.</param>
/// <param name="IsHttp">True for http/protobuf, false for gRPC; null to use the general protocol.</param>
/// <param name="HasCertificates">Whether certificates for the connection are given.</param>
internal sealed record OtlpSettings(Uri? Endpoint, string? Headers, bool? IsHttp, bool HasCertificates)
{
    private static readonly string[] CertificateVariables = ["CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"];

    private const string General = "OTEL_EXPORTER_OTLP_";
    private const string OfMetrics = "OTEL_EXPORTER_OTLP_METRICS_";

    /// <summary>Reads the variables. Returns null if nothing is to be sent.</summary>
    /// <param name="read">Returns the value of an environment variable, or null if it is not set.</param>
    /// <exception cref="FormatException">A value cannot be used; the message names it.</exception>
    public static OtlpSettings? Read(Func<string, string?> read)
    {
        if (!IsWanted(read)) return null;
        DemandUri(read, General + "ENDPOINT");
        DemandProtocol(read, General + "PROTOCOL");
        return new OtlpSettings(
            DemandUri(read, OfMetrics + "ENDPOINT"),
            Given(read, OfMetrics + "HEADERS"),
            DemandProtocol(read, OfMetrics + "PROTOCOL"),
            CertificateVariables.Any(name => Given(read, General + name) is not null));
    }

    private static bool IsWanted(Func<string, string?> read)
    {
        if (string.Equals(Given(read, "OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)) return false;
        if (Given(read, "OTEL_METRICS_EXPORTER") is { } exporters)
        {
            return exporters.Split(',').Any(one => one.Trim().Equals("otlp", StringComparison.OrdinalIgnoreCase));
        }

        return Given(read, General + "ENDPOINT") is not null || Given(read, OfMetrics + "ENDPOINT") is not null;
    }

    private static Uri? DemandUri(Func<string, string?> read, string name)
    {
        if (Given(read, name) is not { } text) return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new FormatException($"{name}: this must be an address such as http://collector:4317");
    }

    private static bool? DemandProtocol(Func<string, string?> read, string name) => Given(read, name) switch
    {
        null => null,
        "grpc" => false,
        "http/protobuf" => true,
        _ => throw new FormatException($"{name}: this must be grpc or http/protobuf"),
    };

    private static string? Given(Func<string, string?> read, string name) => read(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;
}
