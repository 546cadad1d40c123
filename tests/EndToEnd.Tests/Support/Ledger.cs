// Does every event that was received have exactly one place?
using System.Globalization;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>received + adopted = filtered + confirmed + waiting_memory + waiting_fallback + handed_over + all dropped_*, in each single answer of info.</summary>
internal static class Ledger
{
    public static void AssertAddsUp(IReadOnlyDictionary<string, string> info)
    {
        var ledger = info.Where(field => field.Key.StartsWith("ledger.", StringComparison.Ordinal)).ToDictionary(field => field.Key["ledger.".Length..], field => field.Value);
        var came = Number(ledger, "received") + Number(ledger, "adopted");
        var went = Number(ledger, "filtered") + Number(ledger, "confirmed") + Number(ledger, "waiting_memory") + Number(ledger, "waiting_fallback")
            + Number(ledger, "handed_over") + ledger.Keys.Where(name => name.StartsWith("dropped_", StringComparison.Ordinal)).Sum(name => Number(ledger, name));
        Assert.True(came == went, $"{came} came, {went} have a place: " + string.Join(", ", ledger.Select(field => $"{field.Key}={field.Value}")));
    }

    private static long Number(Dictionary<string, string> ledger, string name)
    {
        Assert.True(ledger.TryGetValue(name, out var text), $"the ledger section has no field {name}; it has {string.Join(", ", ledger.Keys)}");
        return long.Parse(text, CultureInfo.InvariantCulture);
    }
}
