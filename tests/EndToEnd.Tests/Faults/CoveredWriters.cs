// How does a test count the writes through the program that lie in a gap?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

internal static class CoveredWriters
{
    /// <summary>The limit is longer than anything here takes. So requests end their wait because the feed is back, and never because of the limit.</summary>
    public static readonly string[] Patient = ["--coverage-wait", "20"];

    /// <summary>Runs the act while two writers write through the program, up to 2,500 times a second each.</summary>
    public static async Task RunAsync(SharedBroker broker, Func<Stage, FaultRun, Task> act, Action<long> checkInGaps)
    {
        var setting = FaultStage.Setting with { Options = [.. FaultStage.Setting.Options, .. Patient], Masks = ["^t:"] };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await using var run = stage.StartRun(new WriterSetting(stage.Program.Port) { Rate = 2500 }, new WriterSetting(stage.Program.Port) { Rate = 2500 });
            await act(stage, run);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            TestContext.Current.TestOutputHelper?.WriteLine($"{verdict.Gaps.Count} gaps, {verdict.Acknowledged} writes, {verdict.InDeclaredGap.Values.Sum()} of them lie in a gap");
            checkInGaps(verdict.InDeclaredGap.Values.Sum());
        });
    }
}
