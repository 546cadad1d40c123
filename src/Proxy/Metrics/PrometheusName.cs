using System.Text;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Proxy.Metrics;

/// <summary>What is an instrument called in Prometheus? <c>keyevt.feed.lag</c> with unit s is <c>keyevt_feed_lag_seconds</c>; a counter's samples end in <c>_total</c>.</summary>
/// <param name="Family">The name without <c>_total</c>.</param>
/// <param name="Unit">The word for the unit at the end of the family; empty if there is none.</param>
/// <param name="Sample">For a counter the family with <c>_total</c>; else the family.</param>
internal sealed record PrometheusName(string Family, string Unit, string Sample)
{
    private const string Total = "_total";

    /// <param name="unit">The unit in UCUM. Text in braces, such as <c>{event}</c>, says what is counted and is not a unit.</param>
    public static PrometheusName Of(string name, string? unit, MetricKind kind)
    {
        var family = Clean(name);
        if (family.EndsWith(Total, StringComparison.Ordinal)) family = family[..^Total.Length];
        var word = unit switch { "s" => "seconds", "ms" => "milliseconds", "By" => "bytes", _ => "" };
        if (word.Length > 0 && !family.EndsWith("_" + word, StringComparison.Ordinal)) family += "_" + word;
        if (kind == MetricKind.Gauge) family = WithoutCount(family);
        return new PrometheusName(family, word, kind == MetricKind.Counter ? family + Total : family);
    }

    /// <summary>The name in lower case, with every character except letters and digits replaced by an underscore.</summary>
    public static string Clean(string name)
    {
        var text = new StringBuilder(name.Length + 16);
        foreach (var c in name) text.Append(char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_');
        return text.ToString();
    }

    /// <summary>
    /// The name of a gauge of the runtime without <c>_count</c>, which is reserved for histograms: <c>dotnet.timer.count</c> becomes
    /// <c>dotnet_timers</c>.
    /// </summary>
    private static string WithoutCount(string family)
    {
        const string Count = "_count";
        if (!family.EndsWith(Count, StringComparison.Ordinal)) return family;
        var one = family[..^Count.Length];
        return one.EndsWith('y') ? one[..^1] + "ies" : one + "s";
    }
}
