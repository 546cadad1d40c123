// Row B14: what happens when packets come late on the way to the broker?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B14_SlowNetworkTests(OwnBroker broker)
{
    [Fact]
    public async Task A_slow_network_makes_delivery_slower_and_loses_nothing()
    {
        await BrokerOverWire.RunAsync(broker, [], async (stage, wire) =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(500);
            if (await wire.TrySlowAsync(milliseconds: 200, lossPercent: 1) is { } no)
            {
                Assert.Skip($"this kernel cannot delay packets ({no}); the row through the relay stands for it");
            }

            await run.MoreAsync(5000);
            await IsSlowButWholeAsync(stage, run);
        });
    }

    [Fact]
    public async Task A_relay_that_delays_every_piece_makes_delivery_slower_and_loses_nothing()
    {
        await FaultStage.WithRelayAsync(await broker.GetAsync(), BrokerFault.Setting(), async (stage, relay) =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(500);
            relay.Delay = TimeSpan.FromMilliseconds(200);
            await run.MoreAsync(5000);
            await IsSlowButWholeAsync(stage, run);
        });
    }

    private static async Task IsSlowButWholeAsync(Stage stage, FaultRun run)
    {
        Assert.Equal("connected", (await stage.InfoAsync())["amqp.state"]);
        // A slow connection must not be taken for a dead one.
        Assert.Equal(1, await stage.NumberAsync("amqp.connects"));
        await stage.NothingIsLostAsync(run);
        Assert.Equal(0, (await stage.InfoAsync()).Where(field => field.Key.StartsWith("ledger.dropped_", StringComparison.Ordinal)).Sum(field => long.Parse(field.Value, CultureInfo.InvariantCulture)));
    }
}
