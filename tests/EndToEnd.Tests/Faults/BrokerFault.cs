// What do the rows B1 to B15 have in common, when their broker is RabbitMQ?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

internal static class BrokerFault
{
    /// <summary>For what has to come back after the fault is over: a connect deadline of 8 s, waits of up to 10 s between attempts, and a small machine.</summary>
    public static readonly TimeSpan Recovery = TimeSpan.FromSeconds(40);

    /// <summary>As <see cref="FaultStage.Setting"/>; an event that comes before its queue is declared again is kept.</summary>
    public static StageSetting Setting(params string[] options) => FaultStage.Setting with { Options = [.. FaultStage.Setting.Options, "--unroutable", "store", .. options] };

    /// <summary>Some 5,000 changes a second, half of them through the proxy.</summary>
    public static WriterSetting[] FiveThousandASecond(Stage stage) =>
        [new(stage.Program.Port) { Rate = 2500, Pipeline = 25 }, new(stage.Redis.Port) { Rate = 2500, Pipeline = 25 }];

    /// <summary>Events go to the fallback storage.</summary>
    public static Task StoringAsync(this Stage stage) => stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 0, Recovery);

    public static Task LiveAsync(this Stage stage) => stage.WaitForFieldAsync("amqp.delivery", delivery => delivery == "live", Recovery);

    /// <summary>The verdict of every row: nothing lost, equal ids, order, the ledger, and nothing left hanging.</summary>
    /// <param name="deadline">For what waits to arrive.</param>
    public static async Task<Verdict> NothingIsLostAsync(this Stage stage, FaultRun run, TimeSpan? deadline = null)
    {
        var verdict = await run.EndAndShowAsync(deadline);
        verdict.NothingLost();
        await stage.LiveAsync();
        await stage.NoTaskHangsAsync();
        return verdict;
    }

    /// <summary>What was given up must die within the 5 s that it is given.</summary>
    public static Task NoTaskHangsAsync(this Stage stage) => stage.WaitForNumberAsync("amqp.background_tasks", tasks => tasks == 0, TimeSpan.FromSeconds(10));

    /// <summary>Two further attempts to connect: each must come, and only after a wait, as somebody has to change something first.</summary>
    public static async Task RetriesSlowlyAsync(this Stage stage)
    {
        await stage.AnnouncesSlowRetriesAsync();
        var first = await stage.NumberAsync("amqp.epoch");
        await stage.WaitForNumberAsync("amqp.epoch", epoch => epoch > first, Recovery);
        var clock = Stopwatch.StartNew();
        await stage.WaitForNumberAsync("amqp.epoch", epoch => epoch > first + 1, Recovery);
        Assert.True(clock.Elapsed > TimeSpan.FromSeconds(3), $"the next attempt came after {clock.Elapsed.TotalSeconds:0.0} s");
    }

    /// <summary>The same by the program's own words, at once: "... next attempt in 5000 ms".</summary>
    public static Task AnnouncesSlowRetriesAsync(this Stage stage)
    {
        const string Announced = "next attempt in ";
        return Eventually.ValueAsync(
            "the announcement of a slow retry", // the log is written a moment after info shows the error
            () => Task.FromResult(stage.Program.Process.AllText.Split('\n').Last(line => line.Contains("[2101]", StringComparison.Ordinal))),
            last => int.Parse(last[(last.LastIndexOf(Announced, StringComparison.Ordinal) + Announced.Length)..].Split(' ')[0], CultureInfo.InvariantCulture) >= 5000);
    }
}
