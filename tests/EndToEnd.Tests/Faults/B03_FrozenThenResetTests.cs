// Row B03: is anything left hanging when a connection stops taking bytes and is then reset?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B03_FrozenThenResetTests(OwnBroker broker)
{
    [Fact]
    public async Task A_connection_that_takes_nothing_and_is_then_reset_leaves_no_task_behind()
    {
        await FaultStage.WithRelayAsync(await broker.GetAsync(), BrokerFault.Setting("--window", "65535"), async (stage, relay) =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(500);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed >= 500);
            relay.Pause();
            await BackUpAsync(stage, run);
            relay.Reset();
            relay.Resume();
            await stage.WaitForNumberAsync("amqp.connects", connects => connects == 2, BrokerFault.Recovery);
            await stage.WaitForNumberAsync("amqp.background_tasks", tasks => tasks == 0, TimeSpan.FromSeconds(2));
            await run.MoreAsync(500);
            await EndAsync(stage, run);
        });
    }

    [Fact]
    public async Task A_connection_that_takes_nothing_is_given_up_before_it_is_reset_and_the_reset_changes_nothing()
    {
        await FaultStage.WithRelayAsync(await broker.GetAsync(), BrokerFault.Setting("--window", "65535"), async (stage, relay) =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(500);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed >= 500);
            relay.Pause();
            await BackUpAsync(stage, run);
            await stage.StoringAsync();
            await stage.WaitForNumberAsync("amqp.epoch", epoch => epoch >= 2, BrokerFault.Recovery);
            relay.Reset();
            relay.Resume();
            await stage.WaitForNumberAsync("amqp.connects", connects => connects >= 2, BrokerFault.Recovery);
            await stage.NoTaskHangsAsync();
            await run.MoreAsync(500);
            await EndAsync(stage, run);
        });
    }

    /// <summary>Sets large keys until the sockets are full. Then a publish hangs in the client library, which is what this row is about.</summary>
    private static async Task BackUpAsync(Stage stage, FaultRun run)
    {
        await using var direct = await stage.Redis.ConnectAsync();
        for (var n = 0; n < 200; n++) await direct.CallAsync("SET", LargeKey + new string('x', 100_000) + n, "v");
        await run.MoreAsync(500);
    }

    /// <summary>Judges the run. The large keys do not belong to the run, so they are checked here and taken out of the verdict.</summary>
    private static async Task EndAsync(Stage stage, FaultRun run)
    {
        var verdict = await run.EndAndShowAsync();
        var large = verdict.Unexpected.Count(one => one.Contains(LargeKey, StringComparison.Ordinal));
        Assert.True(large >= 200, $"{large} of 200 large keys came");
        Assert.Equal(large, verdict.Unexpected.Count);
        (verdict with { Unexpected = [] }).NothingLost();
        await stage.LiveAsync();
    }

    private const string LargeKey = "large:";
}
