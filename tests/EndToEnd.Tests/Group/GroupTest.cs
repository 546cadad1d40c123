// What do the tests of groups share?
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Group;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

internal static class GroupTest
{
    /// <summary>A takeover takes a second or two. The rest is for a busy machine.</summary>
    public static readonly TimeSpan Takeover = TimeSpan.FromSeconds(10);

    /// <summary>What one beat of the holder and what is under way come to, at the 500 writes a second of a run: so many may come twice at a takeover.</summary>
    public const int MostTwice = 500;

    /// <summary>Runs the act while one writer writes straight to Redis, 500 times a second. A failure shows what each member said last.</summary>
    /// <param name="atOnce">The writer does not wait until the group is in step, but only until each member says that it is ready.</param>
    public static async Task RunAsync(SharedBroker broker, GroupSetting setting, Func<GroupStage, FaultRun, Task> act, bool atOnce = false)
    {
        await using var stage = await GroupStage.SetAsync(await broker.GetAsync(), setting);
        await RunAsync(stage, act, isInStep: setting.Group is not null && !atOnce);
    }

    /// <summary>The same on a stage that stands.</summary>
    /// <param name="isInStep">The writers wait until there is a holder.</param>
    public static async Task RunAsync(GroupStage stage, Func<GroupStage, FaultRun, Task> act, bool isInStep = true)
    {
        try
        {
            if (isInStep) await stage.HolderAsync();

            var run = stage.StartRun();
            await act(stage, run);
        }
        catch
        {
            foreach (var member in stage.Members)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{member}:\n{member.Program.Process.Tail(40)}");
            }
            throw;
        }
    }

    /// <summary>Waits until the group is in step, and some events have gone by; returns the holder.</summary>
    public static async Task<GroupMember> UnderWayAsync(this GroupStage stage)
    {
        var holder = await stage.InStepAsync(Takeover);
        await stage.Run.MoreAsync(300);
        return holder;
    }

    /// <summary>Ends the run. Each event has come, in order, its copies with one id, and no member has declared a gap.</summary>
    public static async Task<Verdict> NothingIsMissingAsync(this FaultRun run)
    {
        var verdict = await run.EndAndShowAsync(TimeSpan.FromSeconds(20));
        verdict.NothingLost();
        Assert.Empty(verdict.Gaps);
        return verdict;
    }

    /// <summary>Marker and count of a position or message id; both end with them.</summary>
    public static (long Marker, int Count) Place(string position)
    {
        var parts = position.Split('-');
        return (long.Parse(parts[^2]), int.Parse(parts[^1]));
    }
}
