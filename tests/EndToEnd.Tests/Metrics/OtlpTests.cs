// Does a collector get the metrics when the environment asks for it, and only then?
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Metrics;

public sealed class OtlpTests(SharedBroker broker)
{
    [Theory]
    [InlineData("grpc", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")]
    [InlineData("http/protobuf", "/v1/metrics")]
    public async Task A_collector_gets_the_metrics(string protocol, string path)
    {
        await using var collector = await OtlpReceiver.StartAsync(isGrpc: protocol == "grpc");
        var setting = Setting(("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol), ("OTEL_EXPORTER_OTLP_HEADERS", "x-token=abc"), ("OTEL_METRIC_EXPORT_INTERVAL", "200"));
        await Stage.RunAsync(await broker.GetAsync(), setting with { Queue = true }, async stage =>
        {
            Assert.Equal("OK", (await stage.CallAsync("SET", "k", "v")).Text);
            await Eventually.TrueAsync("all areas to be sent", () => collector.Received.Any(one =>
                one.Path == path && one.Token == "abc" && Has(one.Body, "keyevt.events.received") && Has(one.Body, "keyevt.sessions.active") && Has(one.Body, "keyevt.events.age")
                && Has(one.Body, "dotnet.gc.collections") && Has(one.Body, "service.name")));
            Assert.Equal(0, await stage.Program.StopAsync());
        });
    }

    [Fact]
    public async Task A_collector_that_is_not_there_is_said_and_holds_nothing_up()
    {
        var setting = Setting(("OTEL_METRICS_EXPORTER", "otlp"), ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", $"http://127.0.0.1:{FreePorts.Take()}"), ("OTEL_METRIC_EXPORT_INTERVAL", "200"));
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await stage.Program.Process.LineAsync("the failure in the log", line => line.Contains("[3014]", StringComparison.Ordinal));
            Assert.Equal("OK", (await stage.CallAsync("SET", "k", "v")).Text);
            Assert.Equal(0, await stage.Program.StopAsync());
        });
    }

    [Fact]
    public async Task A_collector_that_hangs_does_not_hold_up_the_end()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        var setting = Setting(("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://{collector.LocalEndpoint}"), ("OTEL_METRIC_EXPORT_INTERVAL", "200"));
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            using var visitor = await collector.AcceptTcpClientAsync(TestContext.Current.CancellationToken); // and says nothing
            Assert.Equal("OK", (await stage.CallAsync("SET", "k", "v")).Text);
            Assert.Equal(0, await stage.Program.StopAsync(TimeSpan.FromSeconds(10)));
        });
    }

    [Fact]
    public async Task A_wrong_address_is_said_at_the_start()
    {
        var result = await KeyEvtProcess.RunAsync(["--listen", $"127.0.0.1:{FreePorts.Take()}", "--admin", "off"], new Dictionary<string, string> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "collector:4317" });
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("OTEL_EXPORTER_OTLP_ENDPOINT", result.Errors, StringComparison.Ordinal);
    }

    private static StageSetting Setting(params (string Name, string Value)[] environment) =>
        new() { Queue = false, Environment = environment.ToDictionary(one => one.Name, one => one.Value) };

    private static bool Has(byte[] body, string text) => body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
}
