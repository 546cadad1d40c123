using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace KeyEvt.Proxy.Metrics;

/// <summary>Sends the metrics to a collector by OTLP, if the environment asks for it. Otherwise nothing of it is started.</summary>
internal sealed class OtlpExport
{
    private readonly MeterProvider _provider;

    private OtlpExport(MeterProvider provider) => _provider = provider;

    /// <summary>Starts sending. Must be called before any instrument records a value. Returns null if nobody has asked for it.</summary>
    /// <param name="meters">The meters whose instruments are sent, in addition to those of the runtime.</param>
    /// <param name="version">The program's version.</param>
    /// <param name="instance">Names this program among others of the same service.</param>
    public static OtlpExport? Start(OtlpSettings? settings, IEnumerable<string> meters, string version, string instance, TimeProvider time, ILogger logger)
    {
        if (settings is null) return null;
        var resource = ResourceBuilder.CreateEmpty().AddService("keyevt", serviceVersion: version, serviceInstanceId: instance).AddTelemetrySdk().AddEnvironmentVariableDetector(); // the last one wins
        var provider = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter([.. meters, MetricsCollector.RuntimeMeter])
            .AddOtlpExporter(options => Configure(options, settings, time, logger))
            .Build();
        return new OtlpExport(provider);
    }

    /// <summary>
    /// Sends what has not been sent yet. The provider is not disposed: an attempt that hangs goes on after this time, and would then find its handles
    /// closed.
    /// </summary>
    public void Stop(TimeSpan within) => _provider.Shutdown((int)within.TotalMilliseconds);

    private static void Configure(OtlpExporterOptions options, OtlpSettings settings, TimeProvider time, ILogger logger)
    {
        if (settings.Endpoint is { } endpoint) options.Endpoint = endpoint;
        if (settings.Headers is { } headers) options.Headers = headers;
        if (settings.IsHttp is { } isHttp) options.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        if (settings.HasCertificates) return; // the library's own client uses the certificates

        var failures = new OtlpFailures(time, logger);
        options.HttpClientFactory = () => new HttpClient(new OtlpFailureHandler(failures)) { Timeout = TimeSpan.FromMilliseconds(options.TimeoutMilliseconds) };
    }
}
