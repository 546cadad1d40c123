// What becomes of an event that a queue refuses again and again?
using System.Text.Json;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fallback;

/// <summary>A queue that holds one message and refuses more: RabbitMQ answers with a nack.</summary>
public sealed class RefusedTests(SharedBroker broker)
{
    private static readonly Dictionary<string, object?> HoldsOne = new() { ["x-max-length"] = 1, ["x-overflow"] = "reject-publish" };

    [Theory]
    [InlineData("text")]
    [InlineData("cloudevents")]
    public async Task After_max_attempts_it_goes_on_as_failed_with_its_own_id_and_the_next_is_not_held_up(string shape)
    {
        await RunAsync(["--max-attempts", "3", "--format", shape], async (stage, failed) =>
        {
            await stage.CallAsync("SET", "fits", "1");
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 1);
            await stage.CallAsync("SET", "refused:1", "1");
            await stage.CallAsync("SET", "refused:2", "1");
            await failed.WaitForAsync(2, TimeSpan.FromSeconds(30));

            Assert.All(failed.Received, message => Assert.Equal(stage.Queue + ".failed", message.RoutingKey));
            Assert.Equal(["refused:1", "refused:2"], failed.Received.Select(message => shape == "text" ? message.Key : JsonDocument.Parse(message.Body).RootElement.GetProperty("key").GetString()));
            Assert.Equal(2, failed.Received.Select(message => message.MessageId).Distinct().Count());
            if (shape == "cloudevents") Assert.All(failed.Received, message => Assert.Equal(message.MessageId, message.Headers["ce-id"]));
            await stage.WaitForNumberAsync("ledger.dropped_dead_lettered", dead => dead == 2);
            Assert.True(await stage.NumberAsync("amqp.refused") >= 6, "each was refused 3 times");
            Assert.Equal(1, await stage.NumberAsync("ledger.confirmed"));
            await stage.Program.Process.LineAsync("that it was sent on", line => line.Contains(".failed", StringComparison.Ordinal) && line.Contains("refused 3 times", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task Without_a_limit_it_is_tried_until_there_is_room_with_the_same_id_and_in_order()
    {
        await RunAsync([], async (stage, failed) =>
        {
            await stage.CallAsync("SET", "k:0", "1");
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 1);
            for (var n = 1; n < 5; n++) await stage.CallAsync("SET", $"k:{n}", "1");
            await stage.WaitForNumberAsync("amqp.refused", refused => refused >= 4);
            await stage.Program.Process.LineAsync("what it waits for", line => line.Contains("reject-publish", StringComparison.Ordinal));

            await using var consumer = await EventConsumer.AttachAsync(stage.Rabbit.Broker, stage.Queue);
            await consumer.WaitForAsync(5, TimeSpan.FromSeconds(40));
            Assert.Equal(["k:0", "k:1", "k:2", "k:3", "k:4"], consumer.Received.DistinctBy(message => message.MessageId).Select(message => message.Key));
            Assert.Empty(failed.Received);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 5);
        });
    }

    private async Task RunAsync(string[] options, Func<Stage, EventConsumer, Task> act)
    {
        var rabbit = await broker.GetAsync();
        await Stage.RunAsync(rabbit, new StageSetting { Queue = false, Events = "$", Options = options }, async stage =>
        {
            await rabbit.Broker.DeclareAsync(stage.Queue, "amq.direct", stage.Queue, HoldsOne);
            await using var failed = await EventConsumer.StartAsync(rabbit.Broker, stage.Queue + "-failed", routingKey: stage.Queue + ".failed");
            await act(stage, failed);
        });
    }
}
