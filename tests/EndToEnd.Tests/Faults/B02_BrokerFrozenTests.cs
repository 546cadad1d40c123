// Row B02: does a broker that stands still for seconds slow a client, or lose an event?
using System.Diagnostics;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B02_BrokerFrozenTests(OwnBroker broker)
{
    [Fact]
    public async Task A_frozen_broker_is_given_up_slows_no_client_and_loses_nothing()
    {
        await Stage.RunAsync(await broker.GetAsync(), BrokerFault.Setting("--heartbeat", "2"), async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await using var run = stage.StartRun(new(stage.Program.Port) { Rate = 2000, Pipeline = 20 }, new WriterSetting(stage.Redis.Port) { Rate = 1000 });
            await run.MoreAsync(3000);
            var before = await SlowestPingAsync(200);

            stage.Rabbit.Freeze();
            await run.MoreAsync(3000);
            // These pings cover both times: the connection still seems alive, and it is being given up.
            var during = await SlowestPingAsync(1000);
            await stage.WaitForNumberAsync("amqp.epoch", epoch => epoch >= 2, BrokerFault.Recovery);
            await stage.StoringAsync();
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains("did not answer in time", StringComparison.Ordinal), BrokerFault.Recovery);
            await run.MoreAsync(3000);
            stage.Rabbit.Thaw();
            await run.MoreAsync(3000);

            Assert.True((await stage.NothingIsLostAsync(run)).Recovered > 0);
            Assert.True(during < TimeSpan.FromSeconds(1), $"a PING took {during.TotalMilliseconds} ms, before the fault {before.TotalMilliseconds} ms");

            async Task<TimeSpan> SlowestPingAsync(int count)
            {
                var slowest = TimeSpan.Zero;
                for (var n = 0; n < count; n++)
                {
                    var clock = Stopwatch.StartNew();
                    Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
                    slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
                }

                return slowest;
            }
        });
    }
}
