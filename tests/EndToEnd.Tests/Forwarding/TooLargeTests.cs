// What becomes of an event whose message is longer than RabbitMQ takes?
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

[Collection(OwnBrokerGroup.Name)]
public sealed class TooLargeTests(OwnBroker rabbits)
{
    private const int MaxMessageSize = 1000;
    private const int RabbitMqsOwn = 134_217_728;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_longer_than_the_broker_takes_is_dropped_and_counted_once_and_all_others_arrive_in_order(bool isStored)
    {
        var rabbit = await rabbits.GetAsync();
        await LimitAsync(rabbit, MaxMessageSize);
        try
        {
            await FaultStage.WithRelayAsync(rabbit, new StageSetting { Events = "$" }, async (stage, relay) =>
            {
                if (isStored) relay.Cut();
                await using var client = await stage.ConnectAsync();
                var keys = await Changes.SetAsync(client, "before", 300);
                await stage.CallAsync("SET", new string('x', MaxMessageSize), "v");
                keys = [.. keys, .. await Changes.SetAsync(client, "between", 300)];
                await stage.CallAsync("SET", new string('y', MaxMessageSize), "v");
                keys = [.. keys, .. await Changes.SetAsync(client, "after", 300)];
                if (isStored) await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == keys.Length + 2);
                relay.Accept();

                await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == keys.Length, BrokerFault.Recovery);
                await stage.Consumer.WaitForKeysAsync(keys);
                Assert.Equal(2, await stage.NumberAsync("ledger.dropped_too_large"));
                await Eventually.ValueAsync("an empty list", stage.FallbackLengthAsync, length => length == 0);
                await stage.Program.Process.SaysAsync("raise its max_message_size");
            });
        }
        finally
        {
            await LimitAsync(rabbit, RabbitMqsOwn);
        }
    }

    /// <summary>For channels opened from now on: RabbitMQ 3 looks into its settings, RabbitMQ 4 at what it made of them when it started.</summary>
    private static Task LimitAsync(RabbitServer rabbit, int bytes)
        => rabbit.EvalAsync($"application:set_env(rabbit, max_message_size, {bytes}), persistent_term:put(max_message_size, {bytes}).");
}
