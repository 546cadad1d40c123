using KeyEvt.Proxy.Metrics;
using Xunit;

namespace KeyEvt.Proxy.Tests.Metrics;

/// <summary>Which variables of the environment let metrics be sent, and how?</summary>
public sealed class OtlpSettingsTests
{
    [Theory]
    [InlineData("")]
    [InlineData("OTEL_SERVICE_NAME=x OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_METRIC_EXPORT_INTERVAL=5")]
    [InlineData("OTEL_METRICS_EXPORTER=none OTEL_EXPORTER_OTLP_ENDPOINT=http://a:4317")]
    [InlineData("OTEL_METRICS_EXPORTER=prometheus")]
    [InlineData("OTEL_SDK_DISABLED=true OTEL_EXPORTER_OTLP_ENDPOINT=http://a:4317")]
    public void Without_being_asked_nothing_is_sent(string variables) => Assert.Null(Read(variables));

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://a:4317")]
    [InlineData("OTEL_METRICS_EXPORTER=otlp")]
    [InlineData("OTEL_METRICS_EXPORTER=console,OTLP OTEL_SDK_DISABLED=false")]
    public void What_holds_for_all_signals_is_left_to_the_library(string variables) => Assert.Equal(new OtlpSettings(null, null, null, HasCertificates: false), Read(variables));

    [Fact]
    public void What_holds_for_metrics_only_is_read_here() => Assert.Equal(
        new OtlpSettings(new Uri("https://a/v1/metrics"), "token=x", IsHttp: true, HasCertificates: true),
        Read("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=https://a/v1/metrics OTEL_EXPORTER_OTLP_METRICS_HEADERS=token=x OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_CERTIFICATE=/ca.pem"));

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317", "OTEL_EXPORTER_OTLP_ENDPOINT")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=/v1/metrics", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")]
    [InlineData("OTEL_METRICS_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_EXPORTER_OTLP_PROTOCOL")]
    [InlineData("OTEL_METRICS_EXPORTER=otlp OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=GRPC", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL")]
    public void A_value_that_cannot_be_used_is_named(string variables, string name) =>
        Assert.StartsWith(name + ": ", Assert.Throws<FormatException>(() => Read(variables)).Message, StringComparison.Ordinal);

    private static OtlpSettings? Read(string variables)
    {
        var given = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('=', 2)).ToDictionary(one => one[0], one => one[1]);
        return OtlpSettings.Read(given.GetValueOrDefault);
    }
}
