using KeyEvt.Proxy.Metrics;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace KeyEvt.Proxy.Tests.Metrics;

/// <summary>Does a reader get the format that it asks for?</summary>
public sealed class MetricsFormatTests
{
    [Theory]
    [InlineData("application/openmetrics-text; version=1.0.0")]
    [InlineData("application/openmetrics-text")]
    [InlineData("application/openmetrics-text;version=\"1.0.0\";q=0.8,text/plain;q=0.5")]
    [InlineData("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;charset=utf-8;q=0.5")]
    [InlineData("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;q=0.9,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2")]
    public void OpenMetrics_for_who_wants_it_at_least_as_much(string accept) => Assert.Same(MetricsFormat.OpenMetrics, MetricsFormat.For(accept));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("*/*")]
    [InlineData("text/plain")]
    [InlineData("text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.5")]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0")]
    [InlineData("application/openmetrics-text;version=2.0.0")]
    [InlineData("this is; no , header;;;")]
    public void Prometheus_text_for_everybody_else(string? accept) => Assert.Same(MetricsFormat.Prometheus, MetricsFormat.For(accept));

    [Fact]
    public void Several_headers_are_one_list() =>
        Assert.Same(MetricsFormat.OpenMetrics, MetricsFormat.For(new StringValues(["text/plain;q=0.4", "application/openmetrics-text;q=0.5"])));
}
