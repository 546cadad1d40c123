using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace KeyEvt.Proxy.Metrics;

/// <summary>Sends the metrics to a collector by OTLP, where the environment asks for it; else nothing of it is started.</summary>
internal sealed class OtlpExport
{
    private readonly MeterProvider _provider;

    private OtlpExport(MeterProvider provider) => _provider = provider;

    /// <summary>Must be called before the first instrument is told anything. Null: nobody asks for it.</summary>
    /// <param name="meters">Whose instruments are sent, besides those of the runtime.</param>
    /// <param name="version">Of the program.</param>
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

    /// <summary>Sends what has not been sent yet. It is not disposed of: an attempt that hangs goes on past this time, and would find its handles gone.</summary>
    public void Stop(TimeSpan within) => _provider.Shutdown((int)within.TotalMilliseconds);

    private static void Configure(OtlpExporterOptions options, OtlpSettings settings, TimeProvider time, ILogger logger)
    {
        if (settings.Endpoint is { } endpoint) options.Endpoint = endpoint;
        if (settings.Headers is { } headers) options.Headers = headers;
        if (settings.IsHttp is { } isHttp) options.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        if (settings.HasCertificates) return; // the library's own client knows what to do with them

        var failures = new OtlpFailures(time, logger);
        options.HttpClientFactory = () => new HttpClient(new OtlpFailureHandler(failures)) { Timeout = TimeSpan.FromMilliseconds(options.TimeoutMilliseconds) };
    }
}
