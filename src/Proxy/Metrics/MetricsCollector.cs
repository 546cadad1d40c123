using System.Diagnostics.Metrics;

namespace KeyEvt.Proxy.Metrics;

/// <summary>
/// What have the instruments measured so far? A listener of our own rather than a package: OpenTelemetry's exporter for Prometheus has no
/// stable release, and prometheus-net brings packages of the .NET Core 3.1 time, which a current package source resolves to other versions than it asks for.
/// </summary>
internal sealed class MetricsCollector : IDisposable
{
    /// <summary>Of the .NET runtime.</summary>
    public const string RuntimeMeter = "System.Runtime";
    private const string OwnPrefix = "keyevt";

    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly Lock _collecting = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    public MetricsCollector(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Of all the meters in the process those of this program, not of another one made in the same process by a test.
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

    /// <summary>Asks the observable instruments, then tells what all have measured, in the order of their names. One at a time: each begins with what was observed before forgotten.</summary>
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
                // One instrument's callback failed; the others have been asked all the same, and this page is where one looks when things fail.
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
