// How does somebody learn that events may be missing?
using System.Text.Json;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

public sealed class GapEventTests(SharedBroker broker)
{
    [Fact]
    public async Task A_killed_subscription_is_told_in_a_message_in_info_in_the_metrics_and_in_the_log()
    {
        await Stage.RunAsync(await broker.GetAsync(), Setting, async stage =>
        {
            await stage.CallAsync("SET", "before", "1");
            await stage.Consumer.WaitForAsync(1);
            var lower = DateTimeOffset.UtcNow.AddSeconds(-2);
            await stage.Redis.CallAsync("CLIENT", "KILL", "TYPE", "pubsub");
            await stage.Consumer.WaitForAsync(2);
            await stage.CallAsync("SET", "after", "1");
            await stage.Consumer.WaitForAsync(3);

            var (before, told, after) = (stage.Consumer.Received[0], stage.Consumer.Received[1], stage.Consumer.Received[2]);
            Assert.Equal(($"{stage.Queue}.gap", "application/json"), (told.RoutingKey, told.ContentType));
            var gap = JsonDocument.Parse(told.Body).RootElement;
            Assert.Equal((1, "connection_lost"), (gap.GetProperty("gap").GetInt32(), gap.GetProperty("cause").GetString()));
            Assert.Contains($"127.0.0.1:{stage.Redis.Port}", gap.GetProperty("node").GetString(), StringComparison.Ordinal);
            var (from, to) = (gap.GetProperty("from").GetDateTimeOffset(), gap.GetProperty("to").GetDateTimeOffset());
            Assert.True(lower < from && from <= to && to < DateTimeOffset.UtcNow.AddSeconds(1), $"from {from} to {to}");
            Assert.InRange(gap.GetProperty("duration_ms").GetInt64(), 0, 15_000);
            var (last, first) = (gap.GetProperty("last_position").GetString()!, gap.GetProperty("first_position").GetString()!);
            Assert.True(Position(before.MessageId!).CompareTo(Position(last)) <= 0, $"{before.MessageId} then {last}");
            Assert.True(Position(last).CompareTo(Position(first)) < 0, $"{last} then {first}");
            Assert.True(Position(first).CompareTo(Position(after.MessageId!)) < 0, $"{first} then {after.MessageId}");

            var info = await stage.InfoAsync();
            Assert.Equal(("1", "0"), (info["gaps.gaps_total"], info["gaps.gaps_open"]));
            Assert.Contains("cause=connection_lost", info["gaps.gap_1"], StringComparison.Ordinal);
            Assert.Contains($"last={last},first={first}", info["gaps.gap_1"], StringComparison.Ordinal);
            Assert.Matches("\nkeyevt_feed_gaps_total\\{node=\"[^\"]+\"\\} 1\n", (await stage.Program.GetAsync("/metrics")).Body);
            await stage.Program.Process.LineAsync("the gap", line => line.Contains("gap 1 (ConnectionLost) since", StringComparison.Ordinal));
            await stage.Program.Process.LineAsync("its end", line => line.Contains("gap 1 (ConnectionLost) ended after", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task Taken_flags_are_told_with_their_cause()
    {
        await Stage.RunAsync(await broker.GetAsync(), Setting, async stage =>
        {
            await stage.Redis.CallAsync("CONFIG", "SET", "notify-keyspace-events", "");
            await stage.Consumer.WaitForAsync(1);
            Assert.Equal("flags_missing", JsonDocument.Parse(stage.Consumer.Received[0].Body).RootElement.GetProperty("cause").GetString());
        });
    }

    [Fact]
    public async Task A_gap_while_the_broker_is_away_is_stored_and_comes_in_its_place()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, Setting with { AmqpPort = relay.Port }, async stage =>
        {
            relay.Cut();
            await stage.CallAsync("SET", "before", "1");
            await stage.Redis.CallAsync("CLIENT", "KILL", "TYPE", "pubsub");
            await stage.WaitForNumberAsync("gaps.gaps_total", gaps => gaps == 1);
            await stage.Program.ReadyAsync();
            await stage.CallAsync("SET", "after", "1");
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 3);
            relay.Accept();
            await stage.Consumer.WaitForAsync(3);
            Assert.Equal([stage.Queue, $"{stage.Queue}.gap", stage.Queue], stage.Consumer.Received.Select(message => message.RoutingKey));
        });
    }

    [Fact]
    public async Task A_declared_queue_gets_the_gaps_too_also_where_the_routing_key_is_a_template()
    {
        var rabbit = await broker.GetAsync();
        var setting = new StageSetting { Queue = false, Exchange = "amq.topic", RoutingKey = "{q}.{event}.x", Options = ["--gap-events", "yes", "--declare-queue", "{q}"] };
        await Stage.RunAsync(rabbit, setting, async stage =>
        {
            await stage.Redis.CallAsync("CLIENT", "KILL", "TYPE", "pubsub");
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 1);
            await using var consumer = await EventConsumer.AttachAsync(rabbit.Broker, stage.Queue);
            await consumer.WaitForAsync(1);
            Assert.Equal($"{stage.Queue}.x.gap", consumer.Received[0].RoutingKey);
        });
    }

    [Fact]
    public async Task Without_the_option_a_gap_is_no_message()
    {
        await Stage.RunAsync(await broker.GetAsync(), Setting with { Options = [] }, async stage =>
        {
            await stage.Redis.CallAsync("CLIENT", "KILL", "TYPE", "pubsub");
            await stage.WaitForNumberAsync("gaps.gaps_total", gaps => gaps == 1);
            await stage.Program.ReadyAsync();
            await stage.CallAsync("SET", "after", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nafter");
        });
    }

    private static StageSetting Setting => new() { Exchange = "amq.topic", RoutingKey = "{q}", Binding = "{q}.#", Options = ["--gap-events", "yes"] };

    private static (long Marker, int Count) Position(string id) =>
        id.Split('-') is [_, var marker, var count] ? (long.Parse(marker, System.Globalization.CultureInfo.InvariantCulture), int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)) : throw new FormatException(id);
}
