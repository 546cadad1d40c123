using System.Diagnostics.Metrics;

namespace KeyEvt.Forwarder.Metrics;

/// <summary>How is a state told in numbers? One series for each state there is; the one that holds is 1, all others are 0.</summary>
public static class StateSeries
{
    /// <param name="label">The tag that names the state.</param>
    /// <param name="others">Tags that all of the series have.</param>
    public static IEnumerable<Measurement<double>> Of<TState>(TState now, string label, params KeyValuePair<string, object?>[] others)
        where TState : struct, Enum
    {
        foreach (var state in Enum.GetValues<TState>())
        {
            yield return new Measurement<double>(EqualityComparer<TState>.Default.Equals(state, now) ? 1 : 0, [.. others, new(label, LabelText.Of(state))]);
        }
    }
}
