// What does the program send through Redis to know its place in the stream, and is an event's id made of it?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

[Trait("Against", "every-redis")]
public sealed class MarkerTests(SharedBroker broker)
{
    [Fact]
    public async Task Markers_carry_the_instance_and_rising_numbers_one_a_second_and_four_while_events_flow_and_the_id_is_node_marker_and_count()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Options = ["--instance", "my-proxy.1"] }, async stage =>
        {
            await using var watcher = await stage.Redis.ConnectAsync();
            await watcher.CallAsync("SUBSCRIBE", "__keyevt__:marker");
            var numbers = new List<long>();
            var clock = System.Diagnostics.Stopwatch.StartNew();
            while (numbers.Count < 8)
            {
                await stage.CallAsync("SET", "flow", "1");
                var words = (await watcher.ReadReplyAsync()).Items[2].Text.Split(' '); // version, group, run id, kind, member, number
                Assert.StartsWith("my-proxy.1-", words[4], StringComparison.Ordinal);
                if (words[3] == "mark") numbers.Add(long.Parse(words[5], System.Globalization.CultureInfo.InvariantCulture));
            }

            Assert.InRange(clock.Elapsed.TotalSeconds, 1, 6); // 8 beats of 250 ms
            Assert.Equal(numbers.Order().Distinct(), numbers);

            await stage.CallAsync("MSET", "a", "1", "b", "1"); // one step of Redis: no marker between
            await stage.Consumer.WaitForAsync(10);
            var (first, second) = (stage.Consumer.Received[8].MessageId!.Split('-'), stage.Consumer.Received[9].MessageId!.Split('-'));
            Assert.StartsWith(first[0], (await stage.InfoAsync())["upstream.run_id"], StringComparison.Ordinal);
            Assert.Equal(first[..2], second[..2]);
            Assert.Equal(int.Parse(first[2], System.Globalization.CultureInfo.InvariantCulture) + 1, int.Parse(second[2], System.Globalization.CultureInfo.InvariantCulture));
            Assert.True(long.Parse(first[1], System.Globalization.CultureInfo.InvariantCulture) >= numbers[^1]);
        });
    }

    [Fact]
    public async Task With_nothing_to_forward_hardly_anything_is_published_and_no_events_are_heard()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Masks = [] }, async stage =>
        {
            await QuietAsync(stage);
            await stage.CallAsync("SET", "a", "1");
            Assert.Equal("", (await stage.InfoAsync())["upstream.patterns"]);
            Assert.Equal(0, (await stage.Redis.CallAsync("PUBSUB", "NUMPAT")).Integer);

            await using var watcher = await stage.Redis.ConnectAsync();
            await watcher.CallAsync("SUBSCRIBE", "__keyevt__:marker");
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.keymask_set", "ALL")).Text);
            await Eventually.ValueAsync("a mark", () => watcher.ReadReplyAsync(), seen => seen.Items[2].Text.Contains(" mark ", StringComparison.Ordinal));
            await stage.CallAsync("SET", "b", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nb");

            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.keymask_clean")).Text);
            await QuietAsync(stage);
            Assert.Equal(0, await stage.NumberAsync("gaps.gaps_total"));
        });
    }

    /// <summary>Waits until nothing has been published for three seconds.</summary>
    private static async Task QuietAsync(Stage stage)
    {
        await Eventually.TrueAsync("quiet", async () =>
        {
            var before = await PublishedAsync(stage);
            await Task.Delay(3000);
            return await PublishedAsync(stage) == before;
        });
    }

    /// <summary>What INFO says of PUBLISH.</summary>
    private static async Task<string> PublishedAsync(Stage stage) =>
        (await stage.Redis.CallAsync("INFO", "commandstats")).Text.Split("\r\n").FirstOrDefault(line => line.StartsWith("cmdstat_publish:", StringComparison.Ordinal))?.Split(',')[0] ?? "";
}
