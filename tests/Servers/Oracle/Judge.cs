using System.Globalization;

namespace KeyEvt.Servers.Oracle;

/// <summary>How is a verdict made out of the books?</summary>
internal sealed class Judge(string run, IReadOnlyList<InfoWatch> watches, FaultWriter[] writers, long until)
{
    private readonly List<string> _lost = [];
    private readonly List<string> _otherIds = [];
    private readonly List<string> _outOfOrder = [];
    private readonly List<string> _unexpected = [];
    private readonly Dictionary<string, long> _inGap = [];
    private readonly IReadOnlyList<DeclaredGap> _gaps = [.. watches.SelectMany(watch => watch.Gaps).OrderBy(gap => gap.From)];
    private long _attempted;
    private long _acknowledged;
    private long _received;
    private long _recovered;

    public Verdict Make(StreamOrder order, long duplicated, IReadOnlyList<string> unexpected, long fallbackLeft)
    {
        for (var index = 0; index < writers.Length; index++)
        {
            // Arrivals first: a record that is read later can only know more.
            var arrivals = writers[index].Book.FirstArrivals;
            var records = writers[index].Book.Records;
            for (var number = 0; number < records.Length && records[number].SentAt <= until; number++) Look(index, number, records[number]);
            if (writers[index].KeepsOrder) LookAtOrder(index, arrivals, records);
        }

        if (order.Faults > 0) _outOfOrder.Add($"{order.FirstFault} ({order.Faults} so in the node's stream)");
        return new Verdict
        {
            Attempted = _attempted,
            Acknowledged = _acknowledged,
            Received = _received,
            Lost = _lost,
            Duplicated = duplicated,
            Recovered = _recovered,
            Unexpected = [.. unexpected, .. _unexpected],
            InDeclaredGap = _inGap,
            OtherIds = _otherIds,
            OutOfOrder = _outOfOrder,
            Dropped = watches.SelectMany(watch => watch.Dropped).GroupBy(one => one.Key).ToDictionary(group => group.Key, group => group.Sum(one => one.Value)),
            Refused = Refused(),
            Gaps = _gaps,
            LedgerFaults = [.. watches.SelectMany(watch => watch.LedgerFaults)],
            LedgerLooks = watches.Sum(watch => watch.Looks),
            FallbackLeft = fallbackLeft,
            Waiting = watches.Sum(watch => watch.Waiting),
        };
    }

    private void Look(int writer, int number, in WriteRecord record)
    {
        _attempted++;
        if (record.Arrivals > 0)
        {
            _received++;
            _recovered += record.WasStored ? 1 : 0;
            if (record.HasOtherId) _otherIds.Add(OracleKey.Of(run, writer, number));
            if (record.IsRefused) _unexpected.Add(OracleKey.Of(run, writer, number) + ", which Redis refused");
        }

        if (record.AcknowledgedAt == 0) return;
        _acknowledged++;
        if (record.Arrivals > 0) return;
        if (GapOf(record) is { } gap)
        {
            _inGap[gap.Cause] = _inGap.GetValueOrDefault(gap.Cause) + 1;
        }
        else
        {
            _lost.Add(string.Create(CultureInfo.InvariantCulture, $"{OracleKey.Of(run, writer, number)} (acknowledged {new DateTime(record.AcknowledgedAt, DateTimeKind.Utc):HH:mm:ss.fff}{(record.WasStored ? ", was stored" : "")})"));
        }
    }

    /// <summary>Of one writer each acknowledged write was done before the next was sent, or in the same pipeline before it.</summary>
    private void LookAtOrder(int writer, int[] arrivals, WriteRecord[] records)
    {
        var last = -1;
        foreach (var number in arrivals)
        {
            if (records[number].AcknowledgedAt == 0) continue;
            if (number < last) _outOfOrder.Add($"{OracleKey.Of(run, writer, number)} after {last}");
            last = Math.Max(last, number);
        }
    }

    private DeclaredGap? GapOf(in WriteRecord record)
    {
        foreach (var gap in _gaps)
        {
            if (gap.MayHold(record.SentAt, record.AcknowledgedAt)) return gap;
        }
        return null;
    }

    private Dictionary<string, long> Refused()
    {
        var all = new Dictionary<string, long>();
        foreach (var writer in writers)
        {
            lock (writer.Refusals)
            {
                foreach (var (word, count) in writer.Refusals) all[word] = all.GetValueOrDefault(word) + count;
            }
        }
        return all;
    }
}
