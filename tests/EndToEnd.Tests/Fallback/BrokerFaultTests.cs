// Does every event survive a broker that stops, dies or freezes?
using System.Diagnostics;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fallback;

public sealed class BrokerFaultTests(OwnBroker broker) : IClassFixture<OwnBroker>
{
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Ten_thousand_changes_while_the_broker_is_stopped_arrive_in_order_after_its_start()
    {
        await Stage.RunAsync(await broker.GetAsync(), Durable, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            var before = await Changes.SetAsync(client, "before", 100);
            await stage.Consumer.WaitForAsync(100);
            await stage.Rabbit.StopAsync();
            var during = await Changes.SetAsync(client, "during", 10_000);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 10_000, Recovery);
            Assert.Equal(10_000, await stage.FallbackLengthAsync());

            await stage.Rabbit.RestartAsync();
            var after = await Changes.SetAsync(client, "after", 100);
            await stage.Consumer.WaitForAsync(10_200, Recovery);

            Assert.Equal(before.Concat(during).Concat(after), stage.Consumer.Received.Select(message => message.Key));
            await Eventually.ValueAsync("an empty fallback storage", stage.FallbackLengthAsync, length => length == 0);
            Assert.Equal(0, (await stage.Redis.CallAsync("EXISTS", Stage.FallbackKey)).Integer);
            await stage.WaitForFieldAsync("amqp.delivery", delivery => delivery == "live");
        });
    }

    [Fact]
    public async Task A_broker_killed_in_the_middle_of_a_stream_loses_nothing()
    {
        await Stage.RunAsync(await broker.GetAsync(), Durable with { Options = [.. Durable.Options, "--unroutable", "store"] }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = new List<string>(await Changes.SetAsync(client, "warm", 1000));
            await stage.Consumer.WaitForAsync(1000); // a broker killed right after the declaration may forget the queue
            var killing = Task.Run(async () =>
            {
                await stage.Rabbit.KillAsync();
                await stage.Rabbit.RestartAsync();
            }, TestContext.Current.CancellationToken);
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20)); // 5,000 changes a second
            for (var n = 0; !killing.IsCompleted || n < 10; n++)
            {
                keys.AddRange(await Changes.SetAsync(client, $"stream{n}", 100));
                await pace.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }

            await killing;
            keys.AddRange(await Changes.SetAsync(client, "end", 1000));

            await Eventually.TrueAsync("all events", () => stage.Consumer.Count >= keys.Count && stage.Consumer.Received.Select(message => message.Key).Distinct().Count() == keys.Count, Recovery);

            var seen = new HashSet<string>();
            Assert.Equal(keys, stage.Consumer.Received.Select(message => message.Key).Where(seen.Add));
            Assert.All(stage.Consumer.Received.GroupBy(message => message.Key), copies => Assert.Single(copies.Select(message => message.MessageId).Distinct()));
            await Eventually.ValueAsync("an empty fallback storage", stage.FallbackLengthAsync, length => length == 0);
        });
    }

    [Fact]
    public async Task A_frozen_broker_slows_no_client_and_loses_nothing()
    {
        await Stage.RunAsync(await broker.GetAsync(), Durable with { Options = [.. Durable.Options, "--heartbeat", "2"] }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = new List<string>(await Changes.SetAsync(client, "warm", 1000));
            await stage.Consumer.WaitForAsync(1000);
            stage.Rabbit.Freeze();
            var slowest = TimeSpan.Zero;
            for (var n = 0; n < 20; n++)
            {
                keys.AddRange(await Changes.SetAsync(client, $"frozen{n}", 1000));
                var clock = Stopwatch.StartNew();
                Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
                slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
            }
            Assert.True(slowest < TimeSpan.FromSeconds(1), $"a PING took {slowest.TotalMilliseconds} ms");
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 20_000, Recovery);
            stage.Rabbit.Thaw();
            await Eventually.TrueAsync("all events", () => stage.Consumer.Received.Select(message => message.Key).Distinct().Count() == keys.Count, Recovery);
            var seen = new HashSet<string>();
            Assert.Equal(keys, stage.Consumer.Received.Select(message => message.Key).Where(seen.Add));
        });
    }

    private static StageSetting Durable => new() { Events = "$", Options = ["--delivery-mode", "2"] };
}
