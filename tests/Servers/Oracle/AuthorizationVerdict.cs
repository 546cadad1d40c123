using System.Globalization;
using System.Text;

namespace KeyEvt.Servers.Oracle;

/// <summary>What became of every write of a run, in the words of the fault catalogue, and is it right?</summary>
public sealed record Verdict
{
    public required long Attempted { get; init; }

    /// <summary>Redis said OK.</summary>
    public required long Acknowledged { get; init; }

    /// <summary>Different keys that arrived.</summary>
    public required long Received { get; init; }

    /// <summary>Acknowledged, in no declared gap, and did not arrive.</summary>
    public required IReadOnlyList<string> Lost { get; init; }

    /// <summary>Arrivals of a key beyond its first.</summary>
    public required long Duplicated { get; init; }

    /// <summary>Seen in the fallback list at one of the looks into it, and arrived: at least so many.</summary>
    public required long Recovered { get; init; }

    /// <summary>Arrived, and were never written, or refused by Redis, or are no event that was to be forwarded.</summary>
    public required IReadOnlyList<string> Unexpected { get; init; }

    /// <summary>Acknowledged and not arrived, but in a gap: how many for each cause.</summary>
    public required IReadOnlyDictionary<string, long> InDeclaredGap { get; init; }

    /// <summary>Keys whose copies carry different message ids.</summary>
    public required IReadOnlyList<string> OtherIds { get; init; }

    /// <summary>First arrivals that came before an older one of the same writer or node; empty when order was kept.</summary>
    public required IReadOnlyList<string> OutOfOrder { get; init; }

    /// <summary>What the ledger counts as dropped, by reason.</summary>
    public required IReadOnlyDictionary<string, long> Dropped { get; init; }

    /// <summary>Error replies that the writers got, by their first word.</summary>
    public required IReadOnlyDictionary<string, long> Refused { get; init; }

    public required IReadOnlyList<DeclaredGap> Gaps { get; init; }

    public required IReadOnlyList<string> LedgerFaults { get; init; }

    /// <summary>How often the ledger was looked at.</summary>
    public required int LedgerLooks { get; init; }

    /// <summary>Entries in the fallback list at the end; must be 0.</summary>
    public required long FallbackLeft { get; init; }

    /// <summary>Events that the ledger still has in memory or fallback; must be 0 at the end.</summary>
    public required long Waiting { get; init; }

    public long DroppedTotal => Dropped.Values.Sum();

    /// <summary>Lost, and not even counted as dropped.</summary>
    public long LostInSilence => Math.Max(0, Lost.Count - DroppedTotal);

    /// <summary>
    /// Everything but the losses is right, and as much is lost as the ledger itself says it dropped. For runs in which nothing was published and not
    /// confirmed before it was dropped: of that nobody knows whether it arrived.
    /// </summary>
    public void LostIsCounted()
    {
        var faults = Faults();
        if (Lost.Count != DroppedTotal) faults.Insert(0, $"{Lost.Count} lost, {DroppedTotal} counted as dropped");
        Throw(faults);
    }

    /// <summary>Nothing is lost (zero, not few), and all the rest is right.</summary>
    public void NothingLost()
    {
        var faults = Faults();
        if (Lost.Count > 0) faults.Insert(0, $"{Lost.Count} lost, such as {Some(Lost)}");
        if (DroppedTotal > 0) faults.Add($"{DroppedTotal} counted as dropped");
        Throw(faults);
    }

    /// <summary>What is wrong, apart from losses; empty when nothing is.</summary>
    public List<string> Faults()
    {
        var faults = new List<string>();
        if (Acknowledged == 0) faults.Add("Redis acknowledged no write: the run shows nothing");
        if (LedgerLooks == 0) faults.Add("the ledger was never looked at");
        if (Unexpected.Count > 0) faults.Add($"{Unexpected.Count} unexpected, such as {Some(Unexpected)}");
        if (OtherIds.Count > 0) faults.Add($"{OtherIds.Count} came twice with different message ids, such as {Some(OtherIds)}");
        if (OutOfOrder.Count > 0) faults.Add($"{OutOfOrder.Count} out of order, such as {Some(OutOfOrder)}");
        if (LedgerFaults.Count > 0) faults.Add($"the ledger did not add up {LedgerFaults.Count} times, first: {LedgerFaults[0]}");
        if (FallbackLeft > 0) faults.Add($"{FallbackLeft} entries are left in the fallback list");
        if (Waiting > 0) faults.Add($"{Waiting} events still wait, by the ledger");
        return faults;
    }

    /// <summary>One line of the classes.</summary>
    public override string ToString()
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"attempted {Attempted}, acknowledged {Acknowledged}, received {Received}, lost {LostInSilence}, dropped and counted {Lost.Count - LostInSilence}{Listed(Dropped)}, duplicated {Duplicated}, ");
        line.Append(CultureInfo.InvariantCulture, $"recovered {Recovered}, unexpected {Unexpected.Count}, in a declared gap {InDeclaredGap.Values.Sum()}{Listed(InDeclaredGap)}, ");
        line.Append(CultureInfo.InvariantCulture, $"refused by Redis {Refused.Values.Sum()}{Listed(Refused)}, out of order {OutOfOrder.Count}, gaps {Gaps.Count}");
        return line.ToString();
    }

    private void Throw(List<string> faults)
    {
        if (faults.Count > 0)
        {
            throw new InvalidOperationException(string.Join("; ", faults) + "\n" + this + "\n" + string.Join('\n', Gaps.Select(gap => $"{gap.Name}: {gap.From:O} - {gap.To:O} {gap.Line}")));
        }
    }

    private static string Some(IReadOnlyList<string> of) => string.Join(", ", of.Take(5));

    private static string Listed(IReadOnlyDictionary<string, long> counts)
        => counts.Count == 0 ? "" : " (" + string.Join(", ", counts.OrderBy(one => one.Key).Select(one => $"{one.Key} {one.Value}")) + ")";
}
