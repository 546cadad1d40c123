// Do the consumers that docs/messages.md shows handle each event once?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Docs;
using RabbitMQ.Client;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Docs;

/// <summary>The programs of docs/examples. What they need is installed by scripts/test.sh.</summary>
public sealed class ConsumerExampleTests(SharedBroker broker)
{
    /// <summary>Release or Debug: as of this test.</summary>
    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    public static TheoryData<string, string> Programs => new()
    {
        { "dotnet", Repository.PathOf($"docs/examples/dotnet/bin/{Configuration}/net10.0/consumer.dll") },
        { "node", Repository.PathOf("docs/examples/node/consumer.mjs") },
        { "/usr/bin/python3", Repository.PathOf("docs/examples/python/consumer.py") },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task An_event_that_comes_again_is_handled_once(string program, string source)
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false, Options = ["--declare-queue", "{q}"] }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, ["a", "two\nlines", "c"]);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 3);
            await RepeatAsync(stage, messages: 3);
            using var consumer = ChildProcess.Start(program, [source, stage.Rabbit.Url, stage.Queue]);
            await client.CallAsync("DEL", "a");

            await consumer.LineAsync("the last event", line => line == "0 del a");
            Assert.Equal(["0 set a", "0 set two", "lines", "0 set c", "0 del a"], consumer.OutputLines);
            await NothingIsLeftAsync(stage, consumer);
        });
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task Its_memory_of_ids_is_bounded(string program, string source)
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false, Options = ["--declare-queue", "{q}"] }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, ["a", "b", "c"]);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 3);
            await RepeatAsync(stage, messages: 1);
            await client.CallAsync("DEL", "a");
            using var consumer = ChildProcess.Start(program, [source, stage.Rabbit.Url, stage.Queue, "2"]);

            await consumer.LineAsync("the last event", line => line == "0 del a");
            Assert.Equal(["0 set a", "0 set b", "0 set c", "0 set a", "0 del a"], consumer.OutputLines);
        });
    }

    /// <summary>Sends the first messages of the queue a second time, behind all others, as a sender does that has missed their confirm.</summary>
    private static Task RepeatAsync(Stage stage, int messages)
        => stage.Rabbit.Broker.UseAsync(async channel =>
        {
            var seen = new List<BasicGetResult>();
            while (await channel.BasicGetAsync(stage.Queue, autoAck: false) is { } message) seen.Add(message);
            foreach (var message in seen.Take(messages))
            {
                await channel.BasicPublishAsync("", stage.Queue, mandatory: true, new BasicProperties(message.BasicProperties), message.Body);
            }

            return true;
        });

    /// <summary>Everything is acknowledged, also what was not handled again: nothing comes back when the consumer is gone.</summary>
    private static async Task NothingIsLeftAsync(Stage stage, ChildProcess consumer)
    {
        await Eventually.ValueAsync("no message without acknowledgement", () => stage.Rabbit.CtlAsync("-q", "list_queues", "name", "messages"), listed => listed.Contains($"{stage.Queue}\t0", StringComparison.Ordinal));
        Assert.False(consumer.HasExited);
    }
}
