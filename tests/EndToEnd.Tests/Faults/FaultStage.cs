// What do the rows of the fault catalogue share?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

internal static class FaultStage
{
    /// <summary>With this setting every SET is forwarded, and a restarted broker keeps the messages.</summary>
    public static StageSetting Setting => new() { Events = "$", Options = ["--delivery-mode", "2"] };

    public static FaultRun StartRun(this Stage stage, params WriterSetting[] writers) => FaultRun.Start(stage.Program, stage.Redis, stage.Consumer, writers);

    /// <summary>Runs the program with a relay before the broker. When the relay is cut, the broker is away for the program but not for the consumer.</summary>
    public static async Task WithRelayAsync(RabbitServer rabbit, StageSetting setting, Func<Stage, Relay, Task> act)
    {
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, setting with { AmqpPort = relay.Port }, stage => act(stage, relay));
    }

    /// <summary>Ends the run, judges it, and writes the verdict to the test's output.</summary>
    public static async Task<Verdict> EndAndShowAsync(this FaultRun run, TimeSpan? deadline = null)
    {
        var verdict = await run.EndAsync(deadline);
        TestContext.Current.TestOutputHelper?.WriteLine(verdict.ToString());
        foreach (var gap in verdict.Gaps) TestContext.Current.TestOutputHelper?.WriteLine(gap.Line);
        return verdict;
    }
}
