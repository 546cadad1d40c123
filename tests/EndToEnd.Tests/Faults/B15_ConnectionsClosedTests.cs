// Row B15: what happens when an operator closes all connections?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B15_ConnectionsClosedTests(OwnBroker broker)
{
    [Fact]
    public async Task Connections_closed_at_5000_events_a_second_cost_nothing_and_come_back()
    {
        await Stage.RunAsync(await broker.GetAsync(), BrokerFault.Setting(), async stage =>
        {
            await using var run = stage.StartRun(BrokerFault.FiveThousandASecond(stage));
            await run.MoreAsync(5000);
            for (var times = 2; times <= 4; times++)
            {
                await stage.Rabbit.CloseConnectionsAsync();
                await stage.WaitForNumberAsync("amqp.connects", connects => connects >= times, BrokerFault.Recovery);
                await run.MoreAsync(2000);
            }

            await stage.NothingIsLostAsync(run);
        });
    }
}
