using System.Text;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Proxy.Metrics;

/// <summary>What is an instrument called in Prometheus? <c>keyevt.feed.lag</c> with unit s is <c>keyevt_feed_lag_seconds</c>; a counter's samples end in <c>_total</c>.</summary>
/// <param name="Family">Without <c>_total</c>.</param>
/// <param name="Unit">The word that the family ends in; empty: none.</param>
/// <param name="Sample">Of a counter with <c>_total</c>; else the family.</param>
internal sealed record PrometheusName(string Family, string Unit, string Sample)
{
    private const string Total = "_total";

    /// <param name="unit">As UCUM has it. What is counted stands in braces and is no unit.</param>
    public static PrometheusName Of(string name, string? unit, MetricKind kind)
    {
        var family = Clean(name);
        if (family.EndsWith(Total, StringComparison.Ordinal)) family = family[..^Total.Length];
        var word = unit switch { "s" => "seconds", "ms" => "milliseconds", "By" => "bytes", _ => "" };
        if (word.Length > 0 && !family.EndsWith("_" + word, StringComparison.Ordinal)) family += "_" + word;
        if (kind == MetricKind.Gauge) family = WithoutCount(family);
        return new PrometheusName(family, word, kind == MetricKind.Counter ? family + Total : family);
    }

    /// <summary>Letters, digits and underscores.</summary>
    public static string Clean(string name)
    {
        var text = new StringBuilder(name.Length + 16);
        foreach (var c in name) text.Append(char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_');
        return text.ToString();
    }

    /// <summary>Of the runtime's gauges: <c>dotnet.timer.count</c> is <c>dotnet_timers</c>, as <c>_count</c> belongs to histograms.</summary>
    private static string WithoutCount(string family)
    {
        const string Count = "_count";
        if (!family.EndsWith(Count, StringComparison.Ordinal)) return family;
        var one = family[..^Count.Length];
        return one.EndsWith('y') ? one[..^1] + "ies" : one + "s";
    }
}
