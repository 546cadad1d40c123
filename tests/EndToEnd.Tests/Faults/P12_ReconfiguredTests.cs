// Row P12: which way do events go while the configuration changes under load?
using System.Collections.Concurrent;
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class P12_ReconfiguredTests(SharedBroker broker)
{
    [Fact]
    public async Task Reconfigured_again_and_again_under_load_each_event_goes_the_old_or_the_new_way_and_none_is_lost()
    {
        await RunAsync(FaultStage.Setting, async (stage, relay) =>
        {
            string[] exchanges = ["amq.direct", "amq.topic"], keys = [stage.Queue, stage.Queue + ".other"], masks = ["ALL", "^t:"];
            foreach (var exchange in exchanges)
            {
                foreach (var key in keys) await stage.Rabbit.Broker.DeclareAsync(stage.Queue, exchange, key);
            }

            await using var run = stage.StartRun();
            var ways = new ConcurrentDictionary<string, int>();
            var take = stage.Consumer.OnReceived!;
            stage.Consumer.OnReceived = message =>
            {
                var way = $"{message.Exchange} {message.RoutingKey}";
                ways.AddOrUpdate(way, 1, (_, count) => count + 1);
                take(message);
            };
            await using var client = await stage.ConnectAsync();
            for (var n = 0; n < 60; n++)
            {
                await run.MoreAsync(30);
                await SetAsync(n);
            }

            // So far a way may have been replaced before an event used it. Now each way gets the time for one event.
            ways.Clear();
            for (var n = 0; n < 4; n++)
            {
                await SetAsync(n);
                var way = $"{exchanges[n / 2 % 2]} {keys[n % 2]}";
                await Eventually.TrueAsync(
                    $"an event by {way}",
                    async () =>
                    {
                        await run.MoreAsync(10);
                        return ways.ContainsKey(way);
                    });
            }

            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Equal(exchanges.SelectMany(exchange => keys.Select(key => $"{exchange} {key}")).Order(), ways.Keys.Order());

            async Task SetAsync(int n)
            {
                string[] command =
                [
                    "key_evt_amqp.config_set", "127.0.0.1", relay.Port.ToString(CultureInfo.InvariantCulture), RabbitServer.User, RabbitServer.Password, "30",
                    exchanges[n / 2 % 2], keys[n % 2], "2", "1000000", masks[n / 4 % 2],
                ];
                Assert.Equal("OK", (await client.CallAsync(command)).Text);
            }
        });
    }

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
