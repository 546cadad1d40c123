// In which order do the faults come, and when is it judged?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;

namespace KeyEvt.Soak;

/// <summary>One fault (sometimes two) after the other, each with its recovery; the classes every minute. The seed gives faults and lengths, not the scheduler's mood.</summary>
/// <param name="only">Faults with this text in their names.</param>
internal sealed class SoakRun(SoakStage stage, int seed, string only, TimeSpan length) : IDisposable
{
    private static readonly TimeSpan Arrival = TimeSpan.FromSeconds(5); // or being declared: flags are looked at every 2 s
    private static readonly string[] AskRedis = ["R9", "R11", "B17"];
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>A step of the program takes Redis less than a millisecond; the rest is for a machine that takes the processor away from it in the middle of one. How long that was is added.</summary>
    private static readonly TimeSpan MostBlocked = TimeSpan.FromMilliseconds(100);

    private readonly Random _random = new(seed);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly StallWatch _stalls = new();
    private readonly ProcessorWatch _processors = new();

    /// <summary>Those that may come.</summary>
    private IEnumerable<SoakFault> Known => stage.Faults.Where(fault => fault.Name.Contains(only, StringComparison.Ordinal));

    /// <summary>Null, or what went wrong.</summary>
    public async Task<string?> RunAsync(CancellationToken cancellationToken)
    {
        if (!Known.Any())
        {
            return $"no fault of this shape has '{only}' in its name: {string.Join(", ", stage.Faults.Select(static fault => fault.Name))}";
        }

        var nextReport = Minute;
        while (_clock.Elapsed < length && !cancellationToken.IsCancellationRequested)
        {
            if (await OneAsync() is { } failure) return failure;
            if (_clock.Elapsed < nextReport) continue;
            nextReport += Minute;
            // What was written some seconds before now, in calm, has arrived or never will.
            var verdict = await stage.Run.JudgeAsync(TimeProvider.System.GetUtcNow() - Arrival);
            Say(verdict.ToString());
            if (await WrongAsync(verdict, atEnd: false) is { } wrong) return wrong;
        }

        var last = await stage.Run.EndAsync(TimeSpan.FromSeconds(120));
        Say("end: " + last);
        var kinds = last.Gaps.CountBy(static gap => Field(gap.Line, "cause") + ": " + Field(gap.Line, "detail"));
        foreach (var (detail, count) in kinds.OrderByDescending(static one => one.Value)) Say($"{count} gaps of {detail}");
        return await WrongAsync(last, atEnd: true);
    }

    public void Dispose()
    {
        _stalls.Dispose();
        _processors.Dispose();
    }

    private async Task<string?> OneAsync()
    {
        SoakFault[] faults = [Pick([.. Known])];
        if (only.Length == 0 && faults[0].Side != FaultSide.Program && _random.Next(4) == 0)
        {
            faults = [faults[0], Pick([.. stage.Faults.Where(fault => fault.Side != FaultSide.Program && fault.Side != faults[0].Side && IsPair(fault, faults[0]))])];
        }

        // Its own numbers for each: two at once would take each other's.
        var randoms = faults.Select(_ => new Random(_random.Next())).ToArray();
        var name = string.Join(" + ", faults.Select(fault => fault.Name));
        var begin = _clock.Elapsed;
        try
        {
            await Task.WhenAll(faults.Select((fault, index) => fault.ActAsync(stage, randoms[index])));
            var end = _clock.Elapsed;
            await stage.RecoveredAsync();
            var stalled = _stalls.TakeLongest();
            var blocked = await stage.Shape.BlockedAsync(MostBlocked + stalled, _processors);
            if (blocked is not null && !faults.Any(fault => fault.StopsRedis))
            {
                return $"{name}: Redis was kept from everybody else: {blocked}; a thread was kept from running for {stalled.TotalMilliseconds} ms at most";
            }

            Say(string.Create(CultureInfo.InvariantCulture, $"{name}: {(end - begin).TotalSeconds:0.0} s, back to normal {(_clock.Elapsed - end).TotalSeconds:0.0} s later"));
            await stage.Run.MoreAsync(_random.Next(100, 4000));
            return null;
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException or IOException)
        {
            var state = stage.Programs.Zip(stage.Run.Watches, static (program, watch) => $"{string.Join('\n', watch.Last.Select(static field => $"{field.Key}:{field.Value}"))}\n{program.Process.Tail(60)}");
            return $"{name}: {e.Message}\n{await stage.Run.JudgeAsync(TimeProvider.System.GetUtcNow() - Arrival)}\n{string.Join("\n\n", state)}";
        }
    }

    /// <summary>A Redis that is killed takes the stored events with it, and the ledger counts what it then misses; but FLUSHALL and OOM speak to a Redis that is there.</summary>
    private static bool IsPair(SoakFault one, SoakFault other) => !Both(one, other, "R1") && !Both(one, other, "Redis frozen") && !Both(one, other, "R15");

    private static bool Both(SoakFault one, SoakFault other, string first)
        => (one.Name.StartsWith(first, StringComparison.Ordinal) && NeedsRedis(other)) || (other.Name.StartsWith(first, StringComparison.Ordinal) && NeedsRedis(one));

    private static bool NeedsRedis(SoakFault fault) => AskRedis.Any(name => fault.Name.StartsWith(name, StringComparison.Ordinal));

    private SoakFault Pick(IReadOnlyList<SoakFault> from) => from[_random.Next(from.Count)];

    private async Task<string?> WrongAsync(Verdict verdict, bool atEnd)
    {
        // While it runs, something may be on its way to the fallback list and back at any moment.
        var faults = (atEnd ? verdict : verdict with { FallbackLeft = 0, Waiting = 0 }).Faults();
        var lost = verdict.LostInSilence > 0 ? await ThereAsync(verdict.Lost) : [];
        if (lost.Count > verdict.DroppedTotal)
        {
            faults.Insert(0, $"{lost.Count} lost outside a declared gap, only {verdict.DroppedTotal} of them counted as dropped: {string.Join(", ", lost.Take(10))}");
        }

        if (faults.Count == 0) return null;

        var gaps = verdict.Gaps.TakeLast(20).Select(static gap => $"{gap.Name}: {gap.From:O} - {gap.To:O} {gap.Line}");
        return $"{string.Join('\n', faults)}\n{string.Join('\n', gaps)}\n{string.Join("\n\n", stage.Programs.Select(static program => program.Process.Tail(1000)))}";
    }

    /// <summary>Those whose keys Redis has.</summary>
    private async Task<List<string>> ThereAsync(IEnumerable<string> lost)
    {
        List<string> there = [];
        foreach (var one in lost)
        {
            if (await stage.Shape.HasAsync(one.Split(' ')[0])) there.Add(one);
        }

        return there;
    }

    private static string Field(string line, string name)
    {
        var from = line.IndexOf(name + "=", StringComparison.Ordinal) + name.Length + 1;
        return name == "detail" ? line[from..] : line[from..].Split(',')[0];
    }

    private void Say(string text) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed:mm\\:ss} {text}"));
}
