using System.Diagnostics.Metrics;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.KeyspaceFanIn;
using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Metrics;
using KeyEvt.Proxy.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Proxy.Tests.Metrics;

/// <summary>Are the instruments those that the documentation is made of?</summary>
public sealed class InstrumentTests : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    private static IEnumerable<MetricDefinition> Defined => ProgramMetrics.Areas.SelectMany(area => area.Definitions);

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    [Fact]
    public async Task Each_instrument_is_defined_and_each_definition_has_its_instrument()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        var found = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    found.Add($"{instrument.Name} {instrument.Unit} {instrument.Description}");
                }
            },
        };
        listener.Start();
        await using var engine = MakeAll(meters);
        Assert.Equal(Defined.Select(one => $"{one.Name} {one.Unit} {one.Meaning}").Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Each_series_has_the_labels_of_its_definition_and_a_value_of_its_kind()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        using var collector = new MetricsCollector(meters);
        await using var engine = MakeAll(meters);
        var snapshots = collector.Collect().Where(one => one.Name.Family.StartsWith("keyevt", StringComparison.Ordinal)).ToDictionary(one => one.Name.Family);
        foreach (var definition in Defined)
        {
            var snapshot = snapshots[PrometheusName.Of(definition.Name, definition.Unit, definition.Kind).Family];
            Assert.Equal(definition.Kind, snapshot.Kind);
            Assert.All(snapshot.Series, series => Assert.Equal(definition.Labels.Order(StringComparer.Ordinal), NamesIn(series.Labels)));
        }

        Assert.Equal(Defined.Count(), snapshots.Count);
    }

    [Fact]
    public void Names_are_in_one_shape_and_meanings_are_sentences()
    {
        Assert.All(Defined, one =>
        {
            Assert.Matches("^keyevt(\\.[a-z]+(_[a-z]+)*)+$", one.Name);
            Assert.Matches("^(|s|By|\\{[a-z]+\\})$", one.Unit);
            Assert.Matches("^[A-Z0-9].*\\.$", one.Meaning);
        });
        Assert.Equal(Defined.Count(), Defined.Select(one => PrometheusName.Of(one.Name, one.Unit, one.Kind).Family).Distinct().Count());
    }

    private static IEnumerable<string> NamesIn(string labels) => labels.Length == 0 ? [] : labels.Split("\",").Select(label => label.Split('=')[0]);

    private static ForwarderEngine MakeAll(IMeterFactory meters)
    {
        var upstream = UpstreamAddress.Of(RedisAddress.Parse("redis://127.0.0.1:1"));
        var meter = meters.Create(ProgramMetrics.MeterName);
        ProgramMetrics.Add(meter, new ProxyReadiness(() => [], () => []), TimeProvider.System);
        _ = new InterceptMetrics(meter, OwnCommand.MetricLabels, () => InterceptionState.On);
        _ = new ConnectTimes(meter);
        SessionMetrics.Add(meter, Registries.Make());
        FanInMetrics.Add(meter, null);
        return new ForwarderEngine(
            new ForwarderOptions { Upstream = upstream, Instance = "test" }, TlsClient.OfSystem("--upstream"), TlsClient.OfSystem("--amqp"), meters, TimeProvider.System, NullLoggerFactory.Instance);
    }
}
