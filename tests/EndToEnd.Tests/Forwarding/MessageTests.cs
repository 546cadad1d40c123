// Is each message what was agreed, byte for byte and property for property?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

public sealed class MessageTests(SharedBroker broker)
{
    private const int Writers = 10;
    private const int EachWriter = 10_000;

    /// <summary>Names that a careless parser cuts: the separator itself, NUL, colons, Redis' own channel prefix, bytes that are not UTF-8.</summary>
    private static readonly string[] OddParts =
        ["", "\n", "\n\n", "\0", ":", "::", "\xff\xfe", "\xc3\x28", "\r\n", " ", "__keyevent@0__:set", "0\nset\nfake", "$-1\r\n", "\"quoted\"", "\x1b[31m", "REDIS_MODULE"];

    [Fact]
    public async Task A_hundred_thousand_sets_of_ten_clients_arrive_each_exactly_once()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$" }, async stage =>
        {
            var keys = Enumerable.Range(0, Writers).Select(writer =>
                Enumerable.Range(0, EachWriter).Select(n => $"t:{writer}:{OddParts[n % OddParts.Length]}:{n}").ToArray()).ToArray();
            await Task.WhenAll(keys.Select(async its =>
            {
                await using var client = await stage.ConnectAsync();
                await Changes.SetAsync(client, its);
            }));

            await stage.Consumer.WaitForAsync(Writers * EachWriter, TimeSpan.FromSeconds(120));

            var texts = stage.Consumer.Received.Select(message => message.Text).ToArray();
            Assert.Equal(keys.SelectMany(its => its).Select(key => "0\nset\n" + key).Order(StringComparer.Ordinal), texts.Order(StringComparer.Ordinal));
            for (var writer = 0; writer < Writers; writer++)
            {
                var mine = $"0\nset\nt:{writer}:";
                Assert.Equal(keys[writer].Select(key => "0\nset\n" + key), texts.Where(text => text.StartsWith(mine, StringComparison.Ordinal)));
            }
            Assert.Equal(texts.Length, stage.Consumer.Received.Select(message => message.MessageId).Distinct().Count());
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == texts.Length);
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Trait("Against", "every-rabbitmq")]
    public async Task The_properties_are_as_agreed(int deliveryMode)
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Options = ["--delivery-mode", $"{deliveryMode}"] }, async stage =>
        {
            var before = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            await using var client = await stage.ConnectAsync();
            await client.SendAsync("SELECT 7\r\nSET k v\r\nDEL k\r\n");
            await stage.Consumer.WaitForTextsAsync("7\nset\nk", "7\ndel\nk");
            var after = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            Assert.All(stage.Consumer.Received, message =>
            {
                Assert.Equal(("text/plain", deliveryMode, "amq.direct", stage.Queue), (message.ContentType, message.DeliveryMode, message.Exchange, message.RoutingKey));
                Assert.InRange(message.Timestamp, before - 1, after + 1);
                Assert.False(string.IsNullOrEmpty(message.MessageId));
            });
            Assert.NotEqual(stage.Consumer.Received[0].MessageId, stage.Consumer.Received[1].MessageId);
        });
    }

    [Fact]
    public async Task A_key_of_half_a_megabyte_arrives_whole()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            var key = string.Concat(Enumerable.Range(0, 500_000).Select(n => (char)(n * 7 % 256)));
            await stage.CallAsync("SET", key, "v");
            await stage.CallAsync("SET", "", "v");
            await stage.Consumer.WaitForAsync(2);
            Assert.Equal(["0\nset\n" + key, "0\nset\n"], stage.Consumer.Received.Select(message => message.Text));
        });
    }

    [Fact]
    [Trait("Against", "every-rabbitmq")]
    public async Task A_message_no_queue_takes_is_not_counted_as_delivered_and_waits_until_one_does()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false }, async stage =>
        {
            await stage.CallAsync("MSET", "a", "1", "b", "1");
            await stage.WaitForNumberAsync("amqp.returned", returned => returned > 0);
            Assert.Equal((0L, 2L), (await stage.NumberAsync("ledger.confirmed"), await stage.NumberAsync("ledger.waiting_memory")));
            await using var consumer = await EventConsumer.StartAsync(stage.Rabbit.Broker, stage.Queue);
            await consumer.WaitForTextsAsync("0\nset\na", "0\nset\nb");
            await stage.CallAsync("key_evt_amqp.format_set", "text", "nowhere"); // now the policy applies
            await stage.CallAsync("SET", "c", "1");
            await stage.WaitForNumberAsync("ledger.dropped_unroutable", unroutable => unroutable == 1);
        });
    }
}
