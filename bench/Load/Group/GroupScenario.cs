// Does a group of proxies keep its promise for long and under load, how long does a takeover take, and what does it cost Redis?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;

namespace KeyEvt.Bench.Load.Group;

/// <summary>
/// Each part has a Redis and proxies of its own, 5,000 events a second, and is judged by the oracle of the fault catalogue. <c>--rounds</c> is the number of faults of each kind,
/// and of minutes of the rolling restart. <c>--ways</c> chooses among the parts. A line that says FAILED is a broken promise.
/// </summary>
internal sealed class GroupScenario : IScenario
{
    private static readonly TimeSpan Frozen = TimeSpan.FromSeconds(10);

    public string Name => "group";

    public string Meaning => "proxies of one group at 5,000 events/s: steady, takeovers of each kind, rolling restart, all killed, cost for Redis (ways: lone steady kill term feed broker stop rolling gone cost)";

    public async Task<string> RunAsync(LoadSettings settings)
    {
        await using var rabbit = await RabbitServer.StartAsync();
        var load = new GroupLoad(rabbit);
        var takeovers = new Takeovers(load, settings.Rounds);
        (string Name, Func<Task<string>> RunAsync)[] parts =
        [
            ("lone", () => SteadyAsync(load, "lone", GroupSetting.Lone)),
            ("steady", () => SteadyAsync(load, "steady", new GroupSetting())),
            ("kill", () => takeovers.RunAsync("kill", (stage, holder) => stage.KillAsync(holder), (_, holder) => holder.StartAgainAsync())),
            ("term", () => takeovers.RunAsync("term", (_, holder) => AtOnce(() => holder.Program.Process.Signal(ChildProcess.SigTerm)), StartEndedAsync)),
            ("feed", () => takeovers.RunAsync("feed", (stage, holder) => stage.KillFeedAsync(holder), mayStay: true)),
            ("broker", () => takeovers.RunAsync("broker", (stage, holder) => AtOnce(() => stage.TakeBroker(holder)), (stage, holder) => AtOnce(() => stage.GiveBroker(holder)))),
            ("stop", () => takeovers.RunAsync("stop", (_, holder) => AtOnce(holder.Freeze), ThawAsync)),
            ("rolling", () => RollingAsync(load, settings.Rounds)),
            ("gone", () => GoneAsync(load, settings.Rounds)),
            ("cost", () => GroupCost.MeasureAsync(load)),
        ];
        var lines = new List<string>();
        foreach (var part in parts.Where(part => settings.Wants(part.Name)))
        {
            lines.Add(await LineAsync(part.Name, part.RunAsync));
            Console.Error.WriteLine(lines[^1]);
        }

        return lines.Count > 0 ? string.Join(Environment.NewLine, lines) : "FAILED: there is no such part";
    }

    /// <summary>A part that cannot go on is a broken promise too; the parts behind it are run all the same.</summary>
    private static async Task<string> LineAsync(string name, Func<Task<string>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException or IOException or FormatException)
        {
            return $"{name}: FAILED: {e.Message}";
        }
    }

    private static Task<string> SteadyAsync(GroupLoad load, string name, GroupSetting setting) => load.RunAsync(name, setting, async (stage, run) =>
    {
        if (setting.Group is not null) await stage.InStepAsync();
        run.Silence.Begin();
        await run.MoreAsync(30 * GroupLoad.Rate, TimeSpan.FromMinutes(2));
        return string.Create(CultureInfo.InvariantCulture, $"longest silence {run.Silence.Longest.Length.TotalMilliseconds:0} ms");
    }, GroupLoad.Promise.Once);

    /// <summary>Each member is ended and started again, one after the other, once a minute.</summary>
    private static Task<string> RollingAsync(GroupLoad load, int minutes) => load.RunAsync("rolling", new GroupSetting(), async (stage, run) =>
    {
        var silences = new List<double>();
        for (var minute = 0; minute < minutes; minute++)
        {
            var clock = Stopwatch.StartNew();
            foreach (var member in stage.Members)
            {
                await stage.InStepAsync();
                run.Silence.Begin();
                if (await stage.TerminateAsync(member) != 0)
                {
                    throw new InvalidOperationException($"{member} ended with {member.Program.Process.ExitCode}");
                }

                await member.StartAgainAsync();
                await stage.InStepAsync();
                silences.Add(run.Silence.Longest.Length.TotalMilliseconds);
            }

            var rest = TimeSpan.FromMinutes(1) - clock.Elapsed;
            if (rest > TimeSpan.Zero) await run.MoreAsync((int)(rest.TotalSeconds * GroupLoad.Rate), TimeSpan.FromMinutes(2));
        }

        return $"{silences.Count} restarts, longest silence ms {Figures.WithSpread(silences, "0")}";
    });

    /// <summary>All are killed, and started again after 5 s of writes: each time one member declares one gap.</summary>
    private static Task<string> GoneAsync(GroupLoad load, int rounds) => load.RunAsync("gone", new GroupSetting(), async (stage, run) =>
    {
        var back = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            await stage.InStepAsync();
            await run.MoreAsync(3 * GroupLoad.Rate);
            await Task.WhenAll(stage.Members.Select(stage.KillAsync));
            await run.MoreAsync(5 * GroupLoad.Rate);
            var declared = run.Watches.Sum(watch => watch.Gaps.Count);
            run.Silence.Begin();
            await Task.WhenAll(stage.Members.Select(member => member.StartAgainAsync()));
            await stage.InStepAsync();
            await GroupLoad.HeardAsync(run);
            back.Add(run.Silence.Longest.EndedAfter.TotalMilliseconds);
            await run.MoreAsync(GroupLoad.Rate);
            await Eventually.TrueAsync("the gap", () => run.Watches.Sum(watch => watch.Gaps.Count) > declared);
        }

        var gaps = run.Watches.SelectMany(watch => watch.Gaps).ToList();
        if (gaps.Count != rounds || gaps.Any(gap => gap.Cause != "not_running"))
        {
            throw new InvalidOperationException($"{gaps.Count} gaps after {rounds} rounds: {string.Join(" | ", gaps.Select(gap => gap.Line))}");
        }

        return $"{rounds} times, first event ms after the start {Figures.WithSpread(back, "0")}";
    }, GroupLoad.Promise.OrDeclared);

    private static async Task StartEndedAsync(GroupStage stage, GroupMember member)
    {
        if (await stage.TerminateAsync(member) is var code and not 0) throw new InvalidOperationException($"{member} ended with {code}");

        await member.StartAgainAsync();
    }

    private static async Task ThawAsync(GroupStage stage, GroupMember member)
    {
        await stage.Run.MoreAsync((int)(Frozen.TotalSeconds * GroupLoad.Rate), TimeSpan.FromMinutes(1));
        member.Thaw();
    }

    private static Task AtOnce(Action act)
    {
        act();
        return Task.CompletedTask;
    }
}
