// How does a test break the feed of notifications, and judge what was declared?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

internal static class FeedFaults
{
    public const string Flags = "notify-keyspace-events";

    /// <summary>Runs the act while two writers are at work. Nothing may be lost outside of the declared gaps.</summary>
    /// <param name="isLong">True if the gap lasts so long that writes must lie in it. False if the feed may be back before the next write.</param>
    public static async Task RunAsync(SharedBroker broker, Func<Stage, FaultRun, Task> act, StageSetting? special = null, bool isLong = true)
    {
        var setting = (special ?? FaultStage.Setting) with { Events = FaultStage.Setting.Events, Options = FaultStage.Setting.Options, Masks = ["^t:"] };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await using var run = stage.StartRun();
            await act(stage, run);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.True(!isLong || verdict.InDeclaredGap.Values.Sum() > 0, "no write fell into the gap: this run shows nothing");
        });
    }

    /// <summary>Waits until so many gaps of that cause are over.</summary>
    public static Task DeclaredAsync(FaultRun run, string cause, int count = 1)
        => Eventually.ValueAsync($"{count} gaps: {cause}", () => Task.FromResult(run.Watch.Gaps.Count(gap => gap.Cause == cause && gap.To is not null)), seen => seen == count);
}
