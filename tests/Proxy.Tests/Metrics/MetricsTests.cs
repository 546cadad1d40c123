using System.Diagnostics.Metrics;
using KeyEvt.Forwarder;
using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KeyEvt.Proxy.Tests.Admin;

/// <summary>Is what the instruments measure written as Prometheus reads it?</summary>
public sealed class MetricsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly Meter _meter;
    private readonly MetricsCollector _collector;

    public MetricsTests()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _meter = meters.Create("KeyEvt.Test");
        _collector = new MetricsCollector(meters);
    }

    public void Dispose()
    {
        _collector.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void A_counter_adds_up_and_ends_in_total()
    {
        var counter = _meter.CreateCounter<long>("keyevt.events.received", "{event}", "Events \\ a line\nbreak");
        counter.Add(2);
        counter.Add(3);
        Assert.Equal("# HELP keyevt_events_received_total Events \\\\ a line\\nbreak\n# TYPE keyevt_events_received_total counter\nkeyevt_events_received_total 5\n", Own());
    }

    [Fact]
    public void Tags_become_labels_sorted_and_escaped()
    {
        var counter = _meter.CreateCounter<int>("keyevt.dropped");
        counter.Add(1, new("reason", "a\"b\\c\nd"), new("node.role", "master"));
        counter.Add(1, new("node.role", "master"), new("reason", "a\"b\\c\nd"));
        counter.Add(1, new KeyValuePair<string, object?>("reason", null));
        Assert.Equal("# TYPE keyevt_dropped_total counter\nkeyevt_dropped_total{node_role=\"master\",reason=\"a\\\"b\\\\c\\nd\"} 2\nkeyevt_dropped_total{reason=\"\"} 1\n", Own());
    }

    [Fact]
    public void What_is_observed_counts_with_its_last_value()
    {
        long value = 5;
        _meter.CreateObservableCounter("keyevt.a", () => value);
        _meter.CreateObservableGauge("keyevt.b", () => 0.5, "s");
        _meter.CreateUpDownCounter<long>("keyevt.c", "By").Add(-3);
        Own();
        value = 7;
        Assert.Equal("# TYPE keyevt_a_total counter\nkeyevt_a_total 7\n# TYPE keyevt_b_seconds gauge\nkeyevt_b_seconds 0.5\n# TYPE keyevt_c_bytes gauge\nkeyevt_c_bytes -3\n", Own());
    }

    [Fact]
    public void A_histogram_has_cumulative_buckets_with_the_advised_bounds()
    {
        var histogram = _meter.CreateHistogram("keyevt.wait", "s", null, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (double value in (double[])[0.05, 0.1, 0.5, 3]) histogram.Record(value);
        Assert.Equal(
            "# TYPE keyevt_wait_seconds histogram\nkeyevt_wait_seconds_bucket{le=\"0.1\"} 2\nkeyevt_wait_seconds_bucket{le=\"1\"} 3\n"
            + "keyevt_wait_seconds_bucket{le=\"+Inf\"} 4\nkeyevt_wait_seconds_sum 3.65\nkeyevt_wait_seconds_count 4\n", Own());
    }

    [Fact]
    public void Instruments_of_others_are_left_out_and_those_of_the_runtime_are_in()
    {
        using var foreign = new Meter("KeyEvt.Test");
        foreign.CreateCounter<long>("keyevt.foreign").Add(1);
        _meter.CreateCounter<long>("other.name").Add(1);
        string all = MetricsText.Write(_collector.Collect(), []);
        Assert.DoesNotContain("keyevt_foreign", all);
        Assert.DoesNotContain("other_name", all);
        Assert.Contains("\ndotnet_process_memory_working_set_bytes ", all);
    }

    [Fact]
    public void A_failing_observable_does_not_take_the_others_with_it()
    {
        _meter.CreateObservableGauge("keyevt.a", long () => throw new InvalidOperationException("broken"));
        _meter.CreateObservableGauge<long>("keyevt.b", () => 1);
        Assert.Equal("# TYPE keyevt_b gauge\nkeyevt_b 1\n", Own());
    }

    [Fact]
    public void Numbers_of_info_follow_unless_an_instrument_has_told_them()
    {
        _meter.CreateCounter<long>("keyevt.ledger.received").Add(5);
        InfoSection[] info =
        [
            new("ledger", [new("received", "5"), new("confirmed", "4"), new("dropped-buffer", "0"), new("state", "connected")]),
            new("ledger", [new("confirmed", "9")]),
        ];
        Assert.Equal(
            "# TYPE keyevt_ledger_received_total counter\nkeyevt_ledger_received_total 5\n# TYPE keyevt_ledger_confirmed untyped\nkeyevt_ledger_confirmed 4\n"
            + "# TYPE keyevt_ledger_dropped_buffer untyped\nkeyevt_ledger_dropped_buffer 0\n", Own(info));
    }

    private string Own(params InfoSection[] info) => MetricsText.Write(_collector.Collect().Where(family => family.Name.StartsWith("keyevt", StringComparison.Ordinal)), info);
}
