// Row B11: what happens when the broker refuses events (`basic.nack`) because their queue is full?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B11_EventsRefusedTests(OwnBroker broker)
{
    private const int Room = 10;
    private const int Count = 200;

    [Fact]
    public async Task Events_that_a_full_queue_refuses_are_tried_again_and_arrive_in_order_when_it_is_emptied()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting with { Queue = false }, async stage =>
        {
            await DeclareFullQueueAsync(stage);
            await using var client = await stage.ConnectAsync();
            var keys = new List<string>(await Changes.SetAsync(client, "k", Count));
            await stage.WaitForNumberAsync("amqp.refused", refused => refused > 0);
            var atFirst = await stage.NumberAsync("amqp.refused");
            // Wait for two further attempts.
            await stage.WaitForNumberAsync("amqp.refused", refused => refused >= atFirst + 2);
            Assert.Equal(Room, await stage.NumberAsync("ledger.confirmed"));
            await stage.Program.Process.SaysAsync("nack");
            Assert.Equal(1, await stage.NumberAsync("amqp.connects"));

            // With a slow consumer the queue is full again and again. It refuses some events and takes the others.
            await using var consumer = await EventConsumer.AttachAsync(stage.Rabbit.Broker, stage.Queue, prefetch: 1);
            keys.AddRange(await Changes.SetAsync(client, "later", Count));
            await consumer.WaitForAsync(keys.Count, BrokerFault.Recovery);
            Assert.Equal(keys, consumer.Received.Select(message => message.Key));
            Assert.Equal(keys.Count, consumer.Received.Select(message => message.MessageId).Distinct().Count());
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == keys.Count);
        });
    }

    [Fact]
    public async Task What_is_refused_too_often_goes_on_with_the_routing_key_for_failed_events()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting with { Queue = false, Options = [.. FaultStage.Setting.Options, "--max-attempts", "2"] }, async stage =>
        {
            await DeclareFullQueueAsync(stage);
            var failed = $"{stage.Queue}.failed";
            await using var consumer = await EventConsumer.StartAsync(stage.Rabbit.Broker, failed);
            await using var client = await stage.ConnectAsync();
            var keys = await Changes.SetAsync(client, "k", Count);
            await consumer.WaitForAsync(Count - Room, BrokerFault.Recovery);
            Assert.Equal(keys[Room..], consumer.Received.Select(message => message.Key));
            Assert.All(consumer.Received, message => Assert.Equal(failed, message.RoutingKey));
            await stage.WaitForNumberAsync("ledger.dropped_dead_lettered", dropped => dropped == Count - Room);
            Assert.Equal(Room, await stage.NumberAsync("ledger.confirmed"));
            Assert.Equal((uint)Room, await stage.Rabbit.Broker.CountAsync(stage.Queue));
        });
    }

    private static Task DeclareFullQueueAsync(Stage stage) => stage.Rabbit.Broker.DeclareAsync(
        stage.Queue, "amq.direct", stage.Queue, new Dictionary<string, object?> { ["x-max-length"] = Room, ["x-overflow"] = "reject-publish" });
}
