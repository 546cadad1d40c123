// Row B01: does every event survive a broker that is killed or stopped?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B01_BrokerKilledTests(OwnBroker broker)
{
    [Fact]
    public Task A_broker_killed_at_5000_events_a_second_and_started_after_2_s_loses_nothing() => KilledAsync(away: 2);

    [Theory]
    [InlineData(60)]
    [InlineData(90)]
    [Trait("Duration", "long")]
    public Task A_broker_killed_and_started_after_a_longer_time_loses_nothing(int away) => KilledAsync(away);

    [Fact]
    public async Task Ten_thousand_changes_while_the_broker_is_stopped_arrive_in_order_after_its_start()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            var before = await Changes.SetAsync(client, "before", 100);
            await stage.Consumer.WaitForAsync(100);
            // What is not confirmed yet would be stored, and would come twice.
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 100);
            await stage.Rabbit.StopAsync();
            var during = await Changes.SetAsync(client, "during", 10_000);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 10_000, BrokerFault.Recovery);
            Assert.Equal(10_000, await stage.FallbackLengthAsync());

            await stage.Rabbit.RestartAsync();
            var after = await Changes.SetAsync(client, "after", 100);
            await stage.Consumer.WaitForAsync(10_200, BrokerFault.Recovery);

            Assert.Equal(before.Concat(during).Concat(after), stage.Consumer.Received.Select(message => message.Key));
            await Eventually.ValueAsync("an empty fallback storage", stage.FallbackLengthAsync, length => length == 0);
            Assert.Equal(0, (await stage.Redis.CallAsync("EXISTS", Stage.FallbackKey)).Integer);
            await stage.LiveAsync();
        });
    }

    private async Task KilledAsync(int away)
    {
        await Stage.RunAsync(await broker.GetAsync(), BrokerFault.Setting(), async stage =>
        {
            await using var run = stage.StartRun(BrokerFault.FiveThousandASecond(stage));
            await run.MoreAsync(5000);
            await stage.Rabbit.KillAsync();
            await run.MoreAsync(away * 5000, TimeSpan.FromSeconds(10 + (away * 3)));
            await stage.StoringAsync();
            await stage.Rabbit.RestartAsync();
            // A broker that is killed soon after a declaration may come back without it.
            await stage.Rabbit.Broker.DeclareAsync(stage.Queue, "amq.direct", stage.Queue);
            await run.MoreAsync(5000);
            // A small machine may send the backlog no faster than it grew.
            var verdict = await stage.NothingIsLostAsync(run, TimeSpan.FromSeconds(60 + (away * 3)));
            Assert.True(verdict.Recovered > 0, "what came meanwhile came through the fallback storage");
        });
    }
}
