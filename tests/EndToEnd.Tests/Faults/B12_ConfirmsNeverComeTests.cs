// Row B12: what happens when the broker takes messages and never confirms one?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class B12_ConfirmsNeverComeTests
{
    private const int Window = 100;

    private static readonly BrokerScript NeverConfirms = new() { OnPublish = (_, _) => Task.CompletedTask };

    /// <summary>On a connection that has routed nothing yet, the program sends one message only. So the first one is confirmed.</summary>
    private static readonly BrokerScript ConfirmsTheVeryFirst = new()
    {
        OnPublish = (connection, message) => (connection.Number, message.Tag) == (1, 1UL) ? connection.AckAsync(1) : Task.CompletedTask,
    };

    /// <summary>The program waits 10 s for a confirm. The test waits twice as long.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Without_confirms_the_window_fills_then_the_link_is_given_up_and_all_arrive_with_equal_ids()
    {
        await ScriptedStage.RunAsync(ConfirmsTheVeryFirst, ["--window", $"{Window}"], async (stage, broker) =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = await Changes.SetAsync(client, "k", 1000);
            await stage.WaitForNumberAsync("amqp.unconfirmed", unconfirmed => unconfirmed == Window);
            await Eventually.ValueAsync("the window at the broker", () => Task.FromResult(broker.PublishedCount), count => count == Window + 1);
            Assert.Equal(keys[..(Window + 1)], broker.Published.Select(message => message.Key));

            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == keys.Length - 1, Deadline);
            var error = (await stage.InfoAsync())["amqp.last_error"];
            // The text is empty when the program is connected again.
            Assert.True(error.Contains("no confirm came within 10 s", StringComparison.Ordinal) || error.Length == 0, error);
            await Eventually.ValueAsync("one to be tried on the next link", () => Task.FromResult(broker.Published.Count(message => message.Connection == 2)), count => count == 1);

            broker.Script = new BrokerScript();
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == keys.Length, 2 * Deadline);
            ScriptedStage.AssertAllCame(keys, broker.Published);
            Assert.True(broker.Published.Count(message => message.Connection == 1) == Window + 1, "nothing beyond the window was sent on the link that never confirmed");
            await stage.WaitForFieldAsync("amqp.delivery", delivery => delivery == "live");
            await stage.WaitForNumberAsync("amqp.background_tasks", tasks => tasks == 0);
        });
    }

    [Fact]
    public async Task Memory_that_fills_up_before_the_deadline_is_moved_to_the_fallback_and_nothing_is_dropped()
    {
        await ScriptedStage.RunAsync(NeverConfirms, ["--window", $"{Window}", "--buffer-bytes", "1m"], async (stage, broker) =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = new List<string>();
            for (var n = 0; n < 20; n++)
            {
                // All rounds make some 2.5 MB with their overhead, in less time than the deadline of a confirm.
                keys.AddRange(await Changes.SetAsync(client, $"k{n}", 1000));
                await stage.WaitForNumberAsync("ledger.received", received => received == keys.Count);

                // A writer that is faster than the fallback storage would fill any memory. This one waits while memory is three quarters full.
                await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting < 6500);
            }

            broker.Script = new BrokerScript();
            await Eventually.ValueAsync("every key", () => Task.FromResult(broker.Published.Select(message => message.Key).Distinct().Count()), count => count == keys.Count, TimeSpan.FromSeconds(30));
            ScriptedStage.AssertAllCame(keys, broker.Published);
            Assert.Equal(0, await stage.NumberAsync("ledger.dropped_memory_full"));
        });
    }
}
