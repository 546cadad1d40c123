using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Commands;

/// <summary>Two administrators give commands at the same moment: do configuration, subscription and answers agree?</summary>
public sealed class TwoAdminsTests
{
    private const int Rounds = 300;

    /// <summary>Two event loops, so that two commands can be carried out on two threads at once.</summary>
    private static readonly string[] TwoLoops = ["--loops", "2", "--transport", "epoll"];

    [Fact]
    public Task P16_what_the_masks_say_is_what_is_subscribed_to() => Stage.RunAsync(
        null,
        new StageSetting { Events = "$", Masks = [], Options = TwoLoops, AmqpUrl = "amqp://guest:guest@127.0.0.1:1/" },
        async stage =>
        {
            await using var cleaner = await stage.ConnectAsync();
            await using var adder = await stage.ConnectAsync();
            for (var round = 0; round < Rounds; round++)
            {
                await adder.CallAsync("key_evt_amqp.keymask_set", "^a");
                await cleaner.SendCommandAsync("key_evt_amqp.keymask_clean");
                await adder.SendCommandAsync("key_evt_amqp.keymask_add", "^b");
                Assert.Equal(["OK", "OK"], [(await cleaner.ReadReplyAsync()).Text, (await adder.ReadReplyAsync()).Text]);

                var masks = (await adder.CallAsync("key_evt_amqp.keymask_get")).Items.Count;
                var patterns = Math.Sign(masks);
                await Eventually.ValueAsync(
                    $"{patterns} patterns for {masks} masks in round {round}", async () => (await stage.Redis.CallAsync("PUBSUB", "NUMPAT")).Integer, seen => seen == patterns, TimeSpan.FromSeconds(5));
            }

            // Whatever came last, it can be put right by a command.
            await adder.CallAsync("key_evt_amqp.keymask_set", "^b");
            await adder.CallAsync("SET", "b", "1");
            await stage.WaitForNumberAsync("ledger.received", received => received == 1);
        });
}
