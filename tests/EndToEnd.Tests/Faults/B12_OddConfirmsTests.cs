// Row B12: does the ledger stay right when confirms come out of order, for many at once, late, or mixed with refusals?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class B12_OddConfirmsTests
{
    private const int Count = 1000;

    [Fact]
    public async Task Confirms_out_of_order_settle_each_event_once()
    {
        var late = new List<ulong>();
        var script = new BrokerScript
        {
            OnPublish = async (connection, message) =>
            {
                late.Add(message.Tag);
                if (message.Tag > 1 && message.Tag % 10 != 0) return;

                foreach (var tag in Enumerable.Reverse(late)) await connection.AckAsync(tag);
                late.Clear();
            },
        };
        await ArriveOnceAsync(script);
    }

    [Fact]
    public async Task One_confirm_for_many_settles_all_up_to_it()
    {
        var script = new BrokerScript { OnPublish = (connection, message) => message.Tag == 1 || message.Tag % 50 == 0 ? connection.AckAsync(message.Tag, multiple: true) : Task.CompletedTask };
        await ArriveOnceAsync(script);
    }

    [Fact]
    public async Task Confirms_for_many_and_single_ones_and_of_unknown_tags_may_mix()
    {
        var script = new BrokerScript
        {
            OnPublish = async (connection, message) =>
            {
                switch (message.Tag % 10)
                {
                    // The program sends no second message before the first one is confirmed.
                    case 1 when message.Tag == 1:
                        await connection.AckAsync(1);
                        break;
                    case 3:
                        await connection.AckAsync(message.Tag);
                        // A second confirm of the same message must not count twice.
                        await connection.AckAsync(message.Tag);
                        break;
                    case 7:
                        await connection.AckAsync(message.Tag - 2);
                        // The program never sent a message with this tag.
                        await connection.AckAsync(message.Tag + 1_000_000);
                        break;
                    case 0:
                        await connection.AckAsync(message.Tag, multiple: true);
                        break;
                }
            },
        };
        await ArriveOnceAsync(script);
    }

    [Fact]
    public async Task A_close_in_the_middle_of_publishing_loses_nothing_and_keeps_ids_and_order()
    {
        var script = new BrokerScript
        {
            // Each of the first four connections confirms some messages, takes more without an answer, and breaks in its own way.
            OnPublish = (connection, message) => (connection.Number, message.Tag) switch
            {
                (1, 200) => connection.CloseAsync(320, "CONNECTION_FORCED - closed via script"),
                (2, 200) => Break(connection),
                (3, 200) => connection.CloseChannelAsync(406, "PRECONDITION_FAILED - closed via script"),
                (4, 200) => connection.SendBytesAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray()),
                var (number, tag) when number <= 4 && tag > 150 => Task.CompletedTask,
                _ => connection.AckAsync(message.Tag),
            },
        };
        await ScriptedStage.RunAsync(script, [], async (stage, broker) =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = await Changes.SetAsync(client, "k", 2 * Count);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == keys.Length, TimeSpan.FromSeconds(30));
            ScriptedStage.AssertAllCame(keys, broker.Published);
            Assert.Equal(5, broker.Connections.Count);
            await stage.WaitForNumberAsync("amqp.background_tasks", tasks => tasks == 0);
        });

        static Task Break(ScriptedConnection connection)
        {
            connection.Reset();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_broker_that_accepts_and_says_nothing_or_garbage_costs_no_event_and_makes_no_hot_loop()
    {
        await ScriptedStage.RunAsync(new BrokerScript { IsSilent = true }, [], async (stage, broker) =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = new List<string>(await Changes.SetAsync(client, "silent", Count));
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == keys.Count);
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains("did not answer in time", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
            Assert.InRange(broker.Connections.Count, 1, 3);

            broker.Script = new BrokerScript { Garbage = [.. Enumerable.Range(0, 100).Select(n => (byte)(n * 37))] };
            var silent = broker.Connections.Count;
            keys.AddRange(await Changes.SetAsync(client, "garbage", Count));
            await Eventually.TrueAsync("three more attempts", () => broker.Connections.Count >= silent + 3, TimeSpan.FromSeconds(20));
            Assert.InRange(broker.Connections.Count, silent + 3, silent + 5);

            broker.Script = new BrokerScript();
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == keys.Count, TimeSpan.FromSeconds(30));
            ScriptedStage.AssertAllCame(keys, broker.Published);
            await stage.WaitForNumberAsync("amqp.background_tasks", tasks => tasks == 0);
        });
    }

    /// <summary>Runs a script that confirms everything in some unusual way. Each event must arrive once, in order, and be counted once.</summary>
    private static Task ArriveOnceAsync(BrokerScript script) => ScriptedStage.RunAsync(script, [], async (stage, broker) =>
    {
        await using var client = await stage.ConnectAsync();
        var keys = await Changes.SetAsync(client, "k", Count);
        await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == Count);
        Assert.Equal(keys, broker.Published.Select(message => message.Key));
        ScriptedStage.AssertAllCame(keys, broker.Published);
        Assert.Equal(0, await stage.NumberAsync("amqp.unconfirmed"));
        Assert.Single(broker.Connections);
    });
}
