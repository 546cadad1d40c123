using System.Diagnostics.Metrics;

namespace KeyEvt.Forwarder.Tests.Metrics;

/// <summary>What do the observable instruments of one meter say at this moment?</summary>
internal sealed class MeterReader(Meter meter)
{
    /// <summary>Null: there is no such series.</summary>
    public double? Read(string name, params (string Name, string Value)[] tags)
    {
        double? found = null;
        var wanted = tags.Select(tag => (tag.Name, (object?)tag.Value)).ToHashSet();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meter && instrument.Name == name) listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, given, _) =>
        {
            var set = new HashSet<(string, object?)>();
            foreach (var (key, tag) in given) set.Add((key, tag));
            if (wanted.SetEquals(set)) found = value;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return found;
    }
}
