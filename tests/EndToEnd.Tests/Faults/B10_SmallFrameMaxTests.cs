// Row B10: does the program honour a small frame-max?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
[Trait("Against", "every-rabbitmq")]
public sealed class B10_SmallFrameMaxTests(OwnBroker rabbits)
{
    // The smallest value that AMQP allows.
    private const int FrameMax = 4096;

    private static readonly int[] KeyLengths = [1, FrameMax - 100, FrameMax - 8, FrameMax, FrameMax + 1, (2 * FrameMax) - 16, 100_000, 1_000_000];

    private static readonly string[] Keys = [.. KeyLengths.Select(length => new string((char)('a' + (length % 26)), length))];

    [Fact]
    public async Task No_frame_is_longer_than_the_tuned_value()
    {
        await ScriptedStage.RunAsync(new BrokerScript { FrameMax = FrameMax }, [], async (stage, broker) =>
        {
            foreach (var key in Keys) await stage.CallAsync("SET", key, "v");
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == Keys.Length);
            Assert.Equal((uint)FrameMax, broker.Connections[0].Agreed.FrameMax);
            // The stage asserts at its end that the broker saw no frame that is too long.
            ScriptedStage.AssertAllCame(Keys, broker.Published);
        });
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    [InlineData("cloudevents")]
    public async Task A_broker_with_a_small_frame_max_gets_large_keys_whole(string format)
    {
        var rabbit = await rabbits.GetAsync();
        await rabbit.EvalAsync($"application:set_env(rabbit, frame_max, {FrameMax}).");
        try
        {
            await Stage.RunAsync(rabbit, new StageSetting { Events = "$", Options = ["--format", format] }, async stage =>
            {
                foreach (var key in Keys) await stage.CallAsync("SET", key, "v");
                await stage.Consumer.WaitForAsync(Keys.Length);
                await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == Keys.Length);
                Assert.Equal(1, await stage.NumberAsync("amqp.connects"));
                Assert.All(Keys.Zip(stage.Consumer.Received), pair => Assert.Contains(pair.First, pair.Second.Text, StringComparison.Ordinal));
            });
        }
        finally
        {
            await rabbit.EvalAsync("application:set_env(rabbit, frame_max, 131072).");
        }
    }
}
