// Row B06: what happens when the exchange is deleted, or was never there?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B06_ExchangeMissingTests(OwnBroker broker)
{
    private readonly string _exchange = $"x{Guid.NewGuid():N}";

    [Fact]
    public async Task Events_are_stored_while_their_exchange_is_deleted_and_arrive_when_it_is_back()
    {
        await Stage.RunAsync(await broker.GetAsync(), BrokerFault.Setting() with { Exchange = _exchange }, async stage =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(500);
            await stage.Rabbit.Broker.UseAsync(async channel =>
            {
                await channel.ExchangeDeleteAsync(_exchange);
                return true;
            });
            await stage.StoringAsync();
            await IsToldAsync(stage);
            await stage.RetriesSlowlyAsync();
            await stage.Rabbit.Broker.DeclareAsync(stage.Queue, _exchange, stage.Queue);
            Assert.True((await stage.NothingIsLostAsync(run)).Recovered > 0);
        });
    }

    [Fact]
    public async Task An_exchange_that_was_never_there_is_told_before_an_event_is_sent()
    {
        var setting = BrokerFault.Setting() with { Exchange = _exchange, Queue = false };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = await Changes.SetAsync(client, "k", 100);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == keys.Length);
            await IsToldAsync(stage);
            await using var consumer = await EventConsumer.StartAsync(stage.Rabbit.Broker, stage.Queue, _exchange);
            await consumer.WaitForAsync(keys.Length, BrokerFault.Recovery);
            Assert.Equal(keys, consumer.Received.Select(message => message.Key));
        });
    }

    private async Task IsToldAsync(Stage stage)
    {
        var remedy = $"the broker has no exchange '{_exchange}'; declare it, or name another with --exchange or config_set";
        await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains(remedy, StringComparison.Ordinal), BrokerFault.Recovery);
        await stage.Program.Process.SaysAsync(remedy);
        await stage.WaitForFieldAsync("amqp.state", state => state == "backoff");
    }
}
