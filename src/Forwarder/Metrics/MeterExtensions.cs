using System.Diagnostics.Metrics;

namespace KeyEvt.Forwarder.Metrics;

/// <summary>How is an instrument made of a definition? All instruments are made here, so that each has its name, unit and meaning from one place.</summary>
public static class MeterExtensions
{
    /// <summary>From a fraction of a millisecond to the seconds after which a connection is given up.</summary>
    public static IReadOnlyList<double> ShortTimes { get; } = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    /// <summary>From a millisecond to the hours that an event may wait for a broker.</summary>
    public static IReadOnlyList<double> LongTimes { get; } = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 14400];

    /// <summary>One series, read when somebody looks.</summary>
    /// <param name="read">Called on the thread of whoever looks.</param>
    public static void Observe(this Meter meter, MetricDefinition definition, Func<double> read)
    {
        if (definition.Kind == MetricKind.Counter)
        {
            meter.CreateObservableCounter(definition.Name, read, definition.Unit, definition.Meaning);
        }
        else
        {
            meter.CreateObservableGauge(definition.Name, read, definition.Unit, definition.Meaning);
        }
    }

    /// <summary>A series for each set of tags, read when somebody looks. Those that are not given any more are gone.</summary>
    public static void ObserveMany(this Meter meter, MetricDefinition definition, Func<IEnumerable<Measurement<double>>> read)
    {
        if (definition.Kind == MetricKind.Counter)
        {
            meter.CreateObservableCounter(definition.Name, read, definition.Unit, definition.Meaning);
        }
        else
        {
            meter.CreateObservableGauge(definition.Name, read, definition.Unit, definition.Meaning);
        }
    }

    /// <summary>A counter that is told of each thing it counts: for what is rare.</summary>
    public static Counter<long> CreateCounter(this Meter meter, MetricDefinition definition) =>
        meter.CreateCounter<long>(definition.Name, definition.Unit, definition.Meaning);

    /// <summary>Times in seconds.</summary>
    /// <param name="bounds">Upper ends of the buckets, in order.</param>
    public static Histogram<double> CreateTimes(this Meter meter, MetricDefinition definition, IReadOnlyList<double> bounds) =>
        meter.CreateHistogram(definition.Name, definition.Unit, definition.Meaning, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
