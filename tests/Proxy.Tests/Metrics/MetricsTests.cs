using System.Diagnostics.Metrics;
using KeyEvt.Proxy.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KeyEvt.Proxy.Tests.Metrics;

/// <summary>Is what the instruments measure written as Prometheus, and a reader of OpenMetrics, reads it?</summary>
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
        foreach (var value in (double[])[0.05, 0.1, 0.5, 3]) histogram.Record(value);
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
        var all = MetricsText.Write(_collector.Collect(), MetricsFormat.Prometheus);
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
    public void A_series_that_is_not_observed_any_more_is_gone()
    {
        List<Measurement<long>> seen = [new(1, new KeyValuePair<string, object?>("node", "a")), new(2, new KeyValuePair<string, object?>("node", "b"))];
        _meter.CreateObservableGauge("keyevt.a", () => seen);
        Assert.Equal("# TYPE keyevt_a gauge\nkeyevt_a{node=\"a\"} 1\nkeyevt_a{node=\"b\"} 2\n", Own());
        seen.RemoveAt(0);
        Assert.Equal("# TYPE keyevt_a gauge\nkeyevt_a{node=\"b\"} 2\n", Own());
    }

    [Fact]
    public void A_histogram_is_there_before_its_first_measurement()
    {
        _meter.CreateHistogram("keyevt.wait", "s", null, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [1] });
        Assert.Equal(
            "# TYPE keyevt_wait_seconds histogram\nkeyevt_wait_seconds_bucket{le=\"1\"} 0\nkeyevt_wait_seconds_bucket{le=\"+Inf\"} 0\nkeyevt_wait_seconds_sum 0\nkeyevt_wait_seconds_count 0\n", Own());
    }

    [Fact]
    public void A_gauge_of_the_runtime_does_not_end_as_a_histogram_does()
    {
        var all = MetricsText.Write(_collector.Collect(), MetricsFormat.Prometheus);
        Assert.Contains("\ndotnet_process_cpus ", all);
        Assert.Contains("\ndotnet_assemblies ", all);
        Assert.DoesNotContain("_count ", all);
    }

    [Fact]
    public void OpenMetrics_has_families_without_total_units_and_an_end()
    {
        _meter.CreateCounter<long>("keyevt.a.time", "s", "Say \"how long\"").Add(2);
        var histogram = _meter.CreateHistogram("keyevt.b", "s", "Waits", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] });
        histogram.Record(0.75);
        Assert.Equal(
            "# HELP keyevt_a_time_seconds Say \\\"how long\\\"\n# TYPE keyevt_a_time_seconds counter\n# UNIT keyevt_a_time_seconds seconds\nkeyevt_a_time_seconds_total 2\n"
            + "# HELP keyevt_b_seconds Waits\n# TYPE keyevt_b_seconds histogram\n# UNIT keyevt_b_seconds seconds\n"
            + "keyevt_b_seconds_bucket{le=\"0.5\"} 0\nkeyevt_b_seconds_bucket{le=\"1.0\"} 1\nkeyevt_b_seconds_bucket{le=\"+Inf\"} 1\nkeyevt_b_seconds_sum 0.75\nkeyevt_b_seconds_count 1\n# EOF\n",
            Own(MetricsFormat.OpenMetrics));
    }

    [Fact]
    public void A_measurement_without_tags_allocates_nothing()
    {
        var histogram = _meter.CreateHistogram<double>("keyevt.wait", "s");
        var counter = _meter.CreateCounter<long>("keyevt.a");
        for (var i = 0; i < 100; i++) Measure();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) Measure();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Measure()
        {
            histogram.Record(0.3);
            counter.Add(1);
        }
    }

    private string Own(MetricsFormat? format = null) =>
        MetricsText.Write(_collector.Collect().Where(metric => metric.Name.Family.StartsWith("keyevt", StringComparison.Ordinal)), format ?? MetricsFormat.Prometheus);
}
