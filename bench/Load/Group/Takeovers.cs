// How long does it take from a fault of the holder to the next event at the consumer, and how many events come twice?
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers.Group;

namespace KeyEvt.Bench.Load.Group;

/// <summary>The same fault again and again at random moments, each time until the group is whole again.</summary>
internal sealed class Takeovers(GroupLoad load, int rounds)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <param name="harm">Done to the holder.</param>
    /// <param name="heal">Makes it whole again, once another delivers; null: it does so itself.</param>
    /// <param name="mayStay">The holder may go on itself.</param>
    public Task<string> RunAsync(string name, Func<GroupStage, GroupMember, Task> harm, Func<GroupStage, GroupMember, Task>? heal = null, bool mayStay = false) =>
        load.RunAsync(name, new GroupSetting(), async (stage, run) =>
        {
            var (silent, own, stayed) = (new List<double>(), new List<double>(), 0);
            for (var round = 1; round <= rounds; round++)
            {
                var holder = await stage.InStepAsync(Patience);
                await run.MoreAsync(Random.Shared.Next(GroupLoad.Rate / 2, 2 * GroupLoad.Rate));
                run.Silence.Begin();
                await harm(stage, holder);
                var next = mayStay ? null : await stage.HolderAsync(holder, Patience);
                await GroupLoad.HeardAsync(run);
                await run.MoreAsync(GroupLoad.Rate / 2);
                next ??= await stage.InStepAsync(Patience);
                if (next == holder) stayed++;
                else own.Add((await next.ReportAsync()).Stream.LastHandoverMs);

                silent.Add(run.Silence.Longest.EndedAfter.TotalMilliseconds);
                Console.Error.WriteLine($"{name} {round} of {rounds}: {holder} then {next}, {silent[^1]:0} ms");
                if (heal is not null) await heal(stage, holder);
            }

            await stage.InStepAsync(Patience);
            return Line(silent, own, stayed);
        });

    private static string Line(List<double> silent, List<double> own, int stayed) =>
        $"{silent.Count} faults{(stayed > 0 ? $" ({stayed} times the holder went on)" : "")}, next event ms after the fault {Figures.WithSpread(silent, "0")}"
        + (own.Count > 0 ? $", handover ms by the program's own word {Figures.WithSpread(own, "0")}" : "");
}
