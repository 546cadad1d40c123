// Row B07: what happens to events that no queue takes?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
[Trait("Against", "every-rabbitmq")]
public sealed class B07_UnroutableTests(OwnBroker broker)
{
    [Fact]
    public async Task By_the_policy_drop_each_returned_event_is_counted_as_unroutable_and_none_as_delivered()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting, async stage =>
        {
            await using var run = stage.StartRun(new WriterSetting(stage.Program.Port) { Rate = 1000 });
            await run.MoreAsync(200);
            // Before something was routed, an unroutable event is kept and not dropped.
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 0);
            await UnbindAsync(stage);
            await stage.WaitForNumberAsync("ledger.dropped_unroutable", dropped => dropped > 100);
            await IsToldByAsync(stage, "dropped and counted");
            await BindAsync(stage);
            await run.MoreAsync(200);
            var verdict = await run.EndAndShowAsync();
            verdict.LostIsCounted();
            Assert.Equal(verdict.Received, await stage.NumberAsync("ledger.confirmed"));
        });
    }

    [Fact]
    public async Task By_the_policy_store_they_are_kept_and_arrive_when_a_queue_is_bound()
    {
        await Stage.RunAsync(await broker.GetAsync(), BrokerFault.Setting(), async stage =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(500);
            // Before something was routed, an unroutable event is kept by every policy.
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 0);
            await UnbindAsync(stage);
            await run.MoreAsync(1000);
            await stage.WaitForNumberAsync("amqp.returned", returned => returned > 5);
            await IsToldByAsync(stage, "kept and tried again");
            Assert.Equal(1, await stage.NumberAsync("amqp.connects"));
            await BindAsync(stage);
            await stage.NothingIsLostAsync(run);
        });
    }

    private static async Task IsToldByAsync(Stage stage, string policy)
    {
        var warning = await stage.Program.Process.SaysAsync("no queue is bound to exchange");
        Assert.Contains($"no queue is bound to exchange 'amq.direct' with routing key '{stage.Queue}'", warning, StringComparison.Ordinal);
        Assert.Contains(policy, warning, StringComparison.Ordinal);
    }

    private static Task UnbindAsync(Stage stage) => stage.Rabbit.Broker.UseAsync(async channel =>
    {
        await channel.QueueUnbindAsync(stage.Queue, "amq.direct", stage.Queue);
        return true;
    });

    private static Task BindAsync(Stage stage) => stage.Rabbit.Broker.DeclareAsync(stage.Queue, "amq.direct", stage.Queue);
}
