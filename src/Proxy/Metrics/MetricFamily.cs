using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Proxy.Metrics;

/// <summary>What has one instrument measured, for each set of its tags? Thread safe. A measurement without tags allocates nothing.</summary>
internal sealed class MetricFamily
{
    /// <summary>Guards the two fields of series, and what is in each series.</summary>
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Series> _tagged = new(StringComparer.Ordinal);
    private readonly Instrument _instrument;
    private readonly MetricKind _kind;
    private readonly bool _addsUp;
    private readonly double[] _bounds = [];
    private readonly PrometheusName _name;
    private Series? _untagged;

    public MetricFamily(Instrument instrument)
    {
        _instrument = instrument;
        var type = instrument.GetType().GetGenericTypeDefinition().Name.Split('`')[0];
        _kind = type switch { "Histogram" => MetricKind.Histogram, "Counter" or "ObservableCounter" => MetricKind.Counter, _ => MetricKind.Gauge };
        _addsUp = type is "Counter" or "UpDownCounter";
        if (_kind == MetricKind.Histogram) _bounds = BoundsOf(instrument) ?? [.. MeterExtensions.ShortTimes];
        _name = PrometheusName.Of(instrument.Name, instrument.Unit, _kind);
    }

    /// <summary>Removes the earlier values of an observable instrument. A series that it does not report again is gone.</summary>
    public void Forget()
    {
        if (!_instrument.IsObservable) return;
        lock (_gate)
        {
            _tagged.Clear();
            _untagged = null;
        }
    }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = tags.IsEmpty ? "" : PrometheusLabels.Of(tags);
        lock (_gate)
        {
            var series = SeriesOf(labels);
            series.Value = _addsUp || _kind == MetricKind.Histogram ? series.Value + value : value;
            if (_kind != MetricKind.Histogram) return;
            series.Count++;
            var bucket = BucketOf(value);
            if (bucket < _bounds.Length) series.Buckets[bucket]++;
        }
    }

    public MetricSnapshot Read()
    {
        lock (_gate)
        {
            var all = _tagged.Select(one => Copy(one.Key, one.Value));
            if (_untagged is not null)
            {
                all = all.Prepend(Copy("", _untagged));
            }
            else if (_kind == MetricKind.Histogram && _tagged.Count == 0)
            {
                all = [Copy("", new Series(_bounds.Length))]; // present from the start, so that the first measurement shows as an increase
            }

            return new MetricSnapshot(_name, _kind, _instrument.Description ?? "", _bounds, [.. all]);
        }
    }

    /// <summary>Called under the lock.</summary>
    private Series SeriesOf(string labels)
    {
        if (labels.Length == 0) return _untagged ??= new Series(_bounds.Length);
        if (!_tagged.TryGetValue(labels, out var series)) _tagged[labels] = series = new Series(_bounds.Length);
        return series;
    }

    /// <summary>The index of the first bucket whose upper end is not below the value; the number of buckets if there is none.</summary>
    private int BucketOf(double value)
    {
        var at = Array.BinarySearch(_bounds, value);
        return at < 0 ? ~at : at;
    }

    private static SeriesSnapshot Copy(string labels, Series series) => new(labels, series.Value, series.Count, [.. series.Buckets]);

    /// <summary>The bucket bounds that the instrument itself advises; null if it advises none.</summary>
    private static double[]? BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> h => h.Advice?.HistogramBucketBoundaries is { } bounds ? [.. bounds] : null,
        Histogram<long> h => h.Advice?.HistogramBucketBoundaries is { } bounds ? [.. bounds.Select(bound => (double)bound)] : null,
        Histogram<int> h => h.Advice?.HistogramBucketBoundaries is { } bounds ? [.. bounds.Select(bound => (double)bound)] : null,
        _ => null,
    };

    private sealed class Series(int buckets)
    {
        public double Value;
        public long Count;
        public readonly long[] Buckets = new long[buckets];
    }
}
