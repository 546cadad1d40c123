// Row B16: what becomes of a stored backlog when the broker is back, but its queue is not?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class B16_QueueMissingTests(SharedBroker broker)
{
    private const int Count = 5000;

    [Theory]
    [InlineData("drop")]
    [InlineData("store")]
    [Trait("Against", "every-rabbitmq")]
    public async Task A_backlog_is_kept_while_the_broker_is_back_without_its_queue_and_it_is_said_what_is_missing(string policy)
    {
        var setting = FaultStage.Setting with { Options = [.. FaultStage.Setting.Options, "--unroutable", policy] };
        await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            // A message routed on this connection proves nothing about the next connection.
            await Changes.SetAsync(client, "warm", 10);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 10);
            await stage.Consumer.WaitForAsync(10);
            stage.Consumer.Forget();
            relay.Cut();
            var keys = await Changes.SetAsync(client, "k", Count);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == Count);

            await UnbindAsync(stage);
            relay.Accept();
            await stage.WaitForNumberAsync("amqp.returned", returned => returned >= 4, BrokerFault.Recovery);
            Assert.Equal(Count, await stage.NumberAsync("ledger.waiting_fallback"));
            Assert.Equal(0, await stage.NumberAsync("ledger.dropped_unroutable"));
            await stage.WaitForFieldAsync("amqp.route_error", error =>
                error.Contains($"no queue is bound to exchange 'amq.direct' with routing key '{stage.Queue}'", StringComparison.Ordinal) && error.Contains("--declare-queue", StringComparison.Ordinal));
            await stage.Program.Process.LineAsync("what is missing, and for how many", line =>
                line.Contains($"with routing key '{stage.Queue}', and the broker has routed nothing on this connection: {Count} events wait", StringComparison.Ordinal));
            Assert.DoesNotContain("nack", stage.Program.Process.AllText, StringComparison.Ordinal);
            Assert.True(await stage.NumberAsync("amqp.returned") < 40, "it is tried again and again without a pause");

            await stage.Rabbit.Broker.DeclareAsync(stage.Queue, "amq.direct", stage.Queue);
            await stage.Consumer.WaitForAsync(Count);
            Assert.Equal(keys, stage.Consumer.Received.Select(message => message.Key));
            await stage.WaitForFieldAsync("amqp.route_error", error => error == "");
            Assert.Equal(0, await stage.NumberAsync("ledger.dropped_unroutable"));
        });
    }

    [Fact]
    public async Task The_log_says_how_many_were_dropped_and_not_that_one_was()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "warm", 10);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 10);
            await stage.Consumer.WaitForAsync(10);
            await UnbindAsync(stage);
            await Changes.SetAsync(client, "k", 500);
            await stage.WaitForNumberAsync("ledger.dropped_unroutable", dropped => dropped == 500);
            await Changes.SetAsync(client, "l", 500);
            await stage.Program.Process.LineAsync("the sum", line => line.Contains("came back 1000 times so far (dropped and counted)", StringComparison.Ordinal));
            Assert.InRange(stage.Program.Process.ErrorLines.Count(line => line.Contains("came back", StringComparison.Ordinal)), 1, 3);
        });
    }

    private static Task UnbindAsync(Stage stage) => stage.Rabbit.Broker.UseAsync(async channel =>
    {
        await channel.QueueUnbindAsync(stage.Queue, "amq.direct", stage.Queue);
        return true;
    });
}
