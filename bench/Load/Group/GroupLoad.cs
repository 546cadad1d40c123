// What do the parts of the group campaign share: the load, and the line that says how it went?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using KeyEvt.Servers.Oracle;

namespace KeyEvt.Bench.Load.Group;

internal sealed class GroupLoad(RabbitServer rabbit)
{
    /// <summary>Events a second.</summary>
    public const int Rate = 5000;

    private static readonly TimeSpan Arrival = TimeSpan.FromMinutes(2);

    /// <summary>What must have become of each acknowledged write?</summary>
    internal enum Promise
    {
        /// <summary>It has arrived once.</summary>
        Once,

        /// <summary>It has arrived, and no gap is declared.</summary>
        AtLeastOnce,

        /// <summary>It has arrived, or lies in a declared gap.</summary>
        OrDeclared,
    }

    /// <summary>Sets the stage, writes while the act goes on, and judges.</summary>
    /// <param name="act">Returns its figures.</param>
    public async Task<string> RunAsync(string name, GroupSetting setting, Func<GroupStage, FaultRun, Task<string>> act, Promise promise = Promise.AtLeastOnce)
    {
        await using var stage = await SetAsync(setting);
        var run = Start(stage);
        try
        {
            var clock = Stopwatch.StartNew();
            var figures = await act(stage, run);
            figures = string.Create(CultureInfo.InvariantCulture, $"{figures}; {run.Acknowledged / clock.Elapsed.TotalSeconds:0} writes/s");
            var verdict = await run.EndAsync(Arrival);
            return $"{name}: {Fault(verdict, promise) ?? "ok"}; {figures}; {verdict}";
        }
        catch
        {
            foreach (var member in stage.Members) Console.Error.WriteLine($"{member}:\n{member.Program.Process.Tail(30)}");
            throw;
        }
    }

    public Task<GroupStage> SetAsync(GroupSetting setting) => GroupStage.SetAsync(rabbit, setting);

    /// <summary>Two writers straight to Redis: the proxies' own clients are not what is measured.</summary>
    public static FaultRun Start(GroupStage stage)
    {
        var writer = new WriterSetting(stage.Redis.Port) { Rate = Rate / 2, Pipeline = 25 };
        return stage.StartRun(writer, writer);
    }

    /// <summary>Waits until something is heard that came after this was asked.</summary>
    public static Task HeardAsync(FaultRun run)
    {
        var now = run.Silence.Elapsed;
        return Eventually.TrueAsync("events to arrive again", () => run.Silence.Heard > now, TimeSpan.FromMinutes(1));
    }

    /// <summary>Null when the promise is kept.</summary>
    private static string? Fault(Verdict verdict, Promise promise)
    {
        try
        {
            verdict.NothingLost();
        }
        catch (InvalidOperationException broken)
        {
            return $"FAILED: {broken.Message.Split('\n')[0]}";
        }

        if (promise != Promise.OrDeclared && verdict.Gaps.Count > 0)
        {
            return $"FAILED: {verdict.Gaps.Count} gaps were declared: {verdict.Gaps[0].Line}";
        }

        return promise == Promise.Once && verdict.Duplicated > 0 ? $"FAILED: {verdict.Duplicated} events came twice" : null;
    }
}
