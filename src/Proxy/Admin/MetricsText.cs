using System.Globalization;
using System.Text;
using KeyEvt.Forwarder;

namespace KeyEvt.Proxy.Admin;

/// <summary>What does /metrics say? The instruments, then every number of key_evt_amqp.info that no instrument has already told.</summary>
internal static class MetricsText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Write(IEnumerable<MetricFamily> families, IEnumerable<InfoSection> info)
    {
        var text = new StringBuilder();
        var written = new HashSet<string>(StringComparer.Ordinal);
        foreach (var family in families)
        {
            if (written.Add(family.Name)) family.WriteTo(text);
        }
        foreach (var section in info)
        {
            foreach (var (field, value) in section.Fields)
            {
                if (!TryReadNumber(value, out double number)) continue;
                string name = MetricFamily.PrometheusName($"keyevt.{section.Name}.{field}", null, counter: false);
                if (written.Contains(name + "_total") || !written.Add(name)) continue;
                text.Append("# TYPE ").Append(name).Append(" untyped\n");
                MetricFamily.WriteSample(text, name, "", number);
            }
        }
        return text.ToString();
    }

    private static bool TryReadNumber(string value, out double number) =>
        double.TryParse(value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
}
