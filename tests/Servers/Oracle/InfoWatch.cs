using System.Globalization;

namespace KeyEvt.Servers.Oracle;

/// <summary>
/// What did the program say of itself during the run? Reads key_evt_amqp.info again and again: each answer's ledger must add up, every gap is
/// kept (info shows the newest only), and what was dropped is summed over the lives of the program. It also looks into the fallback lists. Thread safe.
/// </summary>
public sealed class InfoWatch(Func<Task<IReadOnlyDictionary<string, string>>> ask, Func<Task<IReadOnlyList<FallbackList>>> lists, Action<string> stored)
{
    private const int MostEntriesRead = 20_000;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly Dictionary<(int Life, string Name), DeclaredGap> _gaps = [];
    private readonly Dictionary<(int Life, string Reason), long> _dropped = [];
    private readonly List<string> _faults = [];
    private int _life;

    /// <summary>How far the program's clock is ahead of this one's.</summary>
    public TimeSpan ClockAhead { get; set; }

    public int Looks { get; private set; }

    public IReadOnlyDictionary<string, string> Last { get; private set; } = new Dictionary<string, string>();

    /// <summary>In memory and in the fallback, at the last look.</summary>
    public long Waiting => Last.Count == 0 ? 0 : Number(Last, "waiting_memory") + Number(Last, "waiting_fallback");

    public IReadOnlyList<DeclaredGap> Gaps
    {
        get
        {
            lock (_gate) return [.. _gaps.Values.OrderBy(gap => gap.From)];
        }
    }

    /// <summary>Counts of dropped_*, by reason, over all lives.</summary>
    public IReadOnlyDictionary<string, long> Dropped
    {
        get
        {
            lock (_gate)
            {
                return _dropped.Where(one => one.Value > 0).GroupBy(one => one.Key.Reason).ToDictionary(group => group.Key, group => group.Sum(one => one.Value));
            }
        }
    }

    /// <summary>Answers whose ledger did not add up.</summary>
    public IReadOnlyList<string> LedgerFaults
    {
        get
        {
            lock (_gate) return [.. _faults];
        }
    }

    /// <summary>The program is another one from here on: its gaps and counters begin anew.</summary>
    public void NewLife()
    {
        lock (_gate) (_life, Last) = (_life + 1, new Dictionary<string, string>());
    }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await LookAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Redis or the program is away, frozen, or refuses: there is no answer to judge.
            }
            await Task.Delay(Interval, CancellationToken.None).ConfigureAwait(false);
        }
    }

    public async Task<IReadOnlyDictionary<string, string>> LookAsync()
    {
        var life = _life;
        var info = await ask().ConfigureAwait(false);
        lock (_gate)
        {
            if (life == _life) Take(info);
        }

        await LookIntoFallbackAsync().ConfigureAwait(false);
        return info;
    }

    /// <summary>Of all lists together.</summary>
    public async Task<long> FallbackLengthAsync()
    {
        long length = 0;
        foreach (var list in await lists().ConfigureAwait(false)) length += await list.LengthAsync().ConfigureAwait(false);
        return length;
    }

    /// <summary>Which writes are stored right now? An entry: \x01 id, then db, event and key, each on a line of its own.</summary>
    public async Task LookIntoFallbackAsync()
    {
        foreach (var list in await lists().ConfigureAwait(false))
        {
            foreach (var entry in await list.LastAsync(MostEntriesRead).ConfigureAwait(false))
            {
                stored(entry[(entry.LastIndexOf('\n') + 1)..]);
            }
        }
    }

    private void Take(IReadOnlyDictionary<string, string> info)
    {
        (Last, Looks) = (info, Looks + 1);
        var came = Number(info, "received") + Number(info, "adopted");
        var went = Number(info, "filtered") + Number(info, "confirmed") + Number(info, "waiting_memory") + Number(info, "waiting_fallback") + HandedOver(info);
        foreach (var (name, value) in info)
        {
            if (name.StartsWith("ledger.dropped_", StringComparison.Ordinal))
            {
                var count = long.Parse(value, CultureInfo.InvariantCulture);
                went += count;
                _dropped[(_life, name["ledger.dropped_".Length..])] = count;
            }
            else if (name.StartsWith("gaps.gap_", StringComparison.Ordinal))
            {
                _gaps[(_life, name)] = DeclaredGap.Parse(name, value, ClockAhead);
            }
        }

        if (came != went || info.Any(field => field.Key.StartsWith("ledger.", StringComparison.Ordinal) && field.Key != "ledger.difference" && field.Value.StartsWith('-')))
        {
            _faults.Add($"{came} came, {went} have a place: " + string.Join(", ", info.Where(field => field.Key.StartsWith("ledger.", StringComparison.Ordinal)).Select(field => $"{field.Key}={field.Value}")));
        }
    }

    /// <summary>What another member of the group has delivered; a program that is alone need not say it.</summary>
    private static long HandedOver(IReadOnlyDictionary<string, string> info) => info.ContainsKey("ledger.handed_over") ? Number(info, "handed_over") : 0;

    private static long Number(IReadOnlyDictionary<string, string> info, string name) => long.Parse(info["ledger." + name], CultureInfo.InvariantCulture);
}
