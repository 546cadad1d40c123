// What do the rows about the broker have in common when their broker is RabbitMQ?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

internal static class BrokerFault
{
    /// <summary>How long recovery may take. The connect deadline is 8 s, the wait between attempts up to 10 s, and the machine may be small.</summary>
    public static readonly TimeSpan Recovery = TimeSpan.FromSeconds(40);

    /// <summary>As <see cref="FaultStage.Setting"/>, but unroutable events are stored. So an event is kept if it comes before its queue is declared again.</summary>
    public static StageSetting Setting(params string[] options) => FaultStage.Setting with { Options = [.. FaultStage.Setting.Options, "--unroutable", "store", .. options] };

    /// <summary>Two writers make some 5,000 changes a second. One of them writes through the program.</summary>
    public static WriterSetting[] FiveThousandASecond(Stage stage) =>
        [new(stage.Program.Port) { Rate = 2500, Pipeline = 25 }, new(stage.Redis.Port) { Rate = 2500, Pipeline = 25 }];

    /// <summary>Waits until events go to the fallback storage.</summary>
    public static Task StoringAsync(this Stage stage) => stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 0, Recovery);

    public static Task LiveAsync(this Stage stage) => stage.WaitForFieldAsync("amqp.delivery", delivery => delivery == "live", Recovery);

    /// <summary>Ends the run and asserts what every row demands: nothing is lost, copies have equal ids, the order is kept, the ledger adds up, and no task hangs.</summary>
    /// <param name="deadline">How long waiting events may take to arrive.</param>
    public static async Task<Verdict> NothingIsLostAsync(this Stage stage, FaultRun run, TimeSpan? deadline = null)
    {
        var verdict = await run.EndAndShowAsync(deadline);
        verdict.NothingLost();
        await stage.LiveAsync();
        await stage.NoTaskHangsAsync();
        return verdict;
    }

    /// <summary>Waits until no task of an abandoned connection is left. The program gives such a task 5 s.</summary>
    public static Task NoTaskHangsAsync(this Stage stage) => stage.WaitForNumberAsync("amqp.background_tasks", tasks => tasks == 0, TimeSpan.FromSeconds(10));

    /// <summary>Waits for two further attempts to connect. The second must come only after a pause, since somebody has to change something first.</summary>
    public static async Task RetriesSlowlyAsync(this Stage stage)
    {
        await stage.AnnouncesSlowRetriesAsync();
        var first = await stage.NumberAsync("amqp.epoch");
        await stage.WaitForNumberAsync("amqp.epoch", epoch => epoch > first, Recovery);
        var clock = Stopwatch.StartNew();
        await stage.WaitForNumberAsync("amqp.epoch", epoch => epoch > first + 1, Recovery);
        Assert.True(clock.Elapsed > TimeSpan.FromSeconds(3), $"the next attempt came after {clock.Elapsed.TotalSeconds:0.0} s");
    }

    /// <summary>Checks the pause at once by the log line of the program: "... next attempt in 5000 ms".</summary>
    public static Task AnnouncesSlowRetriesAsync(this Stage stage)
    {
        const string Announced = "next attempt in ";
        return Eventually.ValueAsync(
            // The log line is written a moment after info shows the error.
            "the announcement of a slow retry",
            () => Task.FromResult(stage.Program.Process.AllText.Split('\n').Last(line => line.Contains("[2101]", StringComparison.Ordinal))),
            last => int.Parse(last[(last.LastIndexOf(Announced, StringComparison.Ordinal) + Announced.Length)..].Split(' ')[0], CultureInfo.InvariantCulture) >= 5000);
    }
}
