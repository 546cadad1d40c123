using System.Globalization;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Proxy.Metrics;

/// <summary>How are tags and texts written on the page?</summary>
internal static class PrometheusLabels
{
    /// <summary>The text between the braces, in the order of the names.</summary>
    public static string Of(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var sorted = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in tags) sorted[PrometheusName.Clean(key)] = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return string.Join(',', sorted.Select(label => $"{label.Key}=\"{EscapeWithQuotes(label.Value)}\""));
    }

    /// <summary>Escapes a text. A line break becomes \n. All other control characters, which a terminal might obey, become blanks.</summary>
    public static string Escape(string text) => CleanText.Line(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal));

    public static string EscapeWithQuotes(string text) => Escape(text).Replace("\"", "\\\"", StringComparison.Ordinal);
}
