using System.Diagnostics.Metrics;

namespace KeyEvt.Proxy.Metrics;

/// <summary>
/// What have the instruments measured so far? This listener replaces a package. OpenTelemetry's exporter for Prometheus has no stable release.
/// prometheus-net needs packages of the time of .NET Core 3.1, for which a present package source supplies other versions than it asks for.
/// </summary>
internal sealed class MetricsCollector : IDisposable
{
    /// <summary>The meter of the .NET runtime.</summary>
    public const string RuntimeMeter = "System.Runtime";
    private const string OwnPrefix = "keyevt";

    private readonly MeterListener _listener = new();

    /// <summary>Guards <see cref="_families"/>.</summary>
    private readonly Lock _gate = new();

    /// <summary>Held during a whole <see cref="Collect"/>, so that there is one at a time.</summary>
    private readonly Lock _collecting = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    public MetricsCollector(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Only the meters of this program: a test may create another one in the same process.
            var own = instrument.Name.StartsWith(OwnPrefix, StringComparison.Ordinal) && ReferenceEquals(instrument.Meter.Scope, meters);
            if (own || instrument.Meter.Name == RuntimeMeter) listener.EnableMeasurementEvents(instrument, Family(instrument));
        };
        _listener.MeasurementsCompleted = (instrument, _) =>
        {
            lock (_gate) _families.Remove(instrument.Name);
        };
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, state) => ((MetricFamily)state!).Record((double)value, tags));
        _listener.Start();
    }

    /// <summary>
    /// Asks the observable instruments, and then returns what all instruments have measured, in the order of their names. Only one call runs at a
    /// time, because each begins by removing the values of observable instruments.
    /// </summary>
    public IReadOnlyList<MetricSnapshot> Collect()
    {
        lock (_collecting)
        {
            foreach (var family in Families()) family.Forget();
            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException)
            {
                // The callback of one instrument failed. The others have been asked all the same, and the page must still work, since people read it
                // when something fails.
            }

            return [.. Families().Select(family => family.Read())];
        }
    }

    public void Dispose() => _listener.Dispose();

    private MetricFamily[] Families()
    {
        lock (_gate) return [.. _families.Values];
    }

    private MetricFamily Family(Instrument instrument)
    {
        lock (_gate)
        {
            if (!_families.TryGetValue(instrument.Name, out var family)) _families[instrument.Name] = family = new MetricFamily(instrument);
            return family;
        }
    }
}
