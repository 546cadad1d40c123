// What becomes of an event whose message is longer than RabbitMQ takes?
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

[Collection(BrokerRows.Name)]
public sealed class TooLargeTests(OwnBroker rabbits)
{
    private const int MaxMessageSize = 1000;
    private const int RabbitMqsOwn = 134_217_728;

    [Fact]
    public async Task A_message_longer_than_the_broker_takes_is_dropped_and_counted_and_all_others_arrive_in_order()
    {
        var rabbit = await rabbits.GetAsync();
        await rabbit.EvalAsync($"application:set_env(rabbit, max_message_size, {MaxMessageSize}).");
        try
        {
            await Stage.RunAsync(rabbit, new StageSetting { Events = "$" }, async stage =>
            {
                await using var client = await stage.ConnectAsync();
                var keys = await Changes.SetAsync(client, "before", 300);
                await stage.CallAsync("SET", new string('x', MaxMessageSize), "v");
                keys = [.. keys, .. await Changes.SetAsync(client, "between", 300)];
                await stage.CallAsync("SET", new string('y', MaxMessageSize), "v");
                keys = [.. keys, .. await Changes.SetAsync(client, "after", 300)];

                await stage.WaitForNumberAsync("ledger.dropped_too_large", dropped => dropped == 2, BrokerRow.Recovery);
                await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == keys.Length, BrokerRow.Recovery);
                await stage.Consumer.WaitForKeysAsync(keys);
                await stage.Program.Process.SaysAsync("raise its max_message_size");
            });
        }
        finally
        {
            await rabbit.EvalAsync($"application:set_env(rabbit, max_message_size, {RabbitMqsOwn}).");
        }
    }
}
