// What does SIGTERM leave behind, and is it said?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Host;

public sealed class StopTests(SharedBroker broker)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_event_whose_command_redis_acknowledged_just_before_the_stop_is_confirmed_or_stored(bool brokerIsThere)
    {
        var rabbit = await broker.GetAsync();
        await using var redis = await RedisServer.StartAsync();
        await using var slow = new Relay(redis.Port);
        var queue = $"q{Guid.NewGuid():N}";
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, queue);
        await using var program = await KeyEvtProcess.StartAsync(
        [
            "--upstream", string.Create(CultureInfo.InvariantCulture, $"redis://127.0.0.1:{slow.Port}"), "--amqp", rabbit.UrlWith(port: brokerIsThere ? null : FreePorts.Take()),
            "--routing-key", queue, "--events", "$", "--keymask", "ALL",
        ]);
        await using var writer = await redis.ConnectAsync();
        if (brokerIsThere)
        {
            await writer.CallAsync("SET", "first", "1"); // opens the connection to the broker
            await consumer.WaitForAsync(1);
            consumer.Forget();
        }

        slow.Delay = TimeSpan.FromMilliseconds(150); // the events are still on their way when the writer has its answers
        var keys = await Changes.SetAsync(writer, "k", 50);

        Assert.Equal(0, await program.StopAsync(Limit));

        if (brokerIsThere)
        {
            await consumer.WaitForAsync(keys.Length);
            Assert.Equal(keys, consumer.Received.Select(message => message.Key));
        }
        else
        {
            var stored = (await redis.CallAsync("LRANGE", Stage.FallbackKey, "0", "-1")).Texts;
            Assert.Equal(keys, stored.Select(entry => entry.Split('\n', 4)[3]));
        }

        Assert.Contains("every event is confirmed, stored or counted", program.Process.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_could_be_placed_nowhere_is_counted_in_the_last_line_and_the_exit_code_stays_0()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$", Queue = false, AmqpPort = FreePorts.Take(), Options = ["--fallback-storage-size", "-1"] }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "k", 123);
            await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting == 123);
            var clock = Stopwatch.StartNew();
            Assert.Equal(0, await stage.Program.StopAsync());
            Assert.True(clock.Elapsed < Limit, $"took {clock.Elapsed}");
            Assert.Contains("123 events could be neither confirmed nor stored", stage.Program.Process.ErrorLines[^1], StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_redis_that_is_frozen_does_not_keep_it_from_ending_in_time()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$" }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "k", 10);
            await stage.Consumer.WaitForAsync(10);
            stage.Redis.Freeze();
            await client.SendCommandAsync("SET", "unanswered", "1");
            var clock = Stopwatch.StartNew();
            Assert.Equal(0, await stage.Program.StopAsync());
            Assert.True(clock.Elapsed < Limit, $"took {clock.Elapsed}");
            stage.Redis.Thaw();
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task P17_with_broker_and_redis_frozen_it_ends_in_time_with_0_and_counts_what_is_left(bool clientWaits)
    {
        await using var rabbit = await RabbitServer.StartAsync();
        await Stage.RunAsync(rabbit, new StageSetting { Events = "$" }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "warm", 10);
            await stage.Consumer.WaitForAsync(10);
            rabbit.Freeze();
            await Changes.SetAsync(client, "k", 5000);
            await stage.WaitForNumberAsync("ledger.received", received => received == 5010);
            stage.Redis.Freeze();
            if (clientWaits) await client.SendCommandAsync("SET", "unanswered", "1");
            var clock = Stopwatch.StartNew();
            Assert.Equal(0, await stage.Program.StopAsync(TimeSpan.FromSeconds(20)));
            Assert.True(clock.Elapsed < Limit, $"took {clock.Elapsed}");
            Assert.Contains("5000 events could be neither confirmed nor stored", stage.Program.Process.ErrorLines[^1], StringComparison.Ordinal);
            stage.Redis.Thaw();
            rabbit.Thaw();
        });
    }

    [Fact]
    public async Task A_request_of_which_only_a_part_had_come_is_finished_and_then_its_session_ends()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
            await client.SendAsync("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\nfirst");
            stage.Program.Process.Signal(ChildProcess.SigTerm);
            await stage.Program.Process.SaysAsync("sessions to end");
            await client.SendAsync("other\r\n");
            Assert.Equal("OK", (await client.ReadReplyAsync()).Text);
            Assert.Empty(await client.ReadToEndAsync());
            Assert.Equal(0, await stage.Program.Process.ExitAsync(Limit));
            Assert.DoesNotContain("did not end in time", stage.Program.Process.AllText, StringComparison.Ordinal);
            Assert.Equal("firstother", (await stage.Redis.CallAsync("GET", "k")).Text);
        });
    }

    [Fact]
    public async Task Clients_commands_finish_then_the_feed_then_delivery()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "l" }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await client.SendCommandAsync("BLPOP", "work", "0");
            await Eventually.TrueAsync("a blocked client", async () => (await stage.Redis.CallAsync("INFO", "clients")).Text.Contains("blocked_clients:1", StringComparison.Ordinal));
            stage.Program.Process.Signal(ChildProcess.SigTerm);
            await stage.Program.Process.LineAsync("that it stops", line => line.Contains("Stopping on", StringComparison.Ordinal));
            await stage.Redis.CallAsync("RPUSH", "work", "done"); // after the signal: the running command and its events still count
            Assert.Equal(["work", "done"], (await client.ReadReplyAsync()).Texts);
            Assert.Equal(0, await stage.Program.Process.ExitAsync(Limit));

            await stage.Consumer.WaitForTextsAsync("0\nrpush\nwork", "0\nlpop\nwork");
            var lines = stage.Program.Process.ErrorLines.ToList();
            var feed = lines.FindIndex(line => line.Contains("feed", StringComparison.Ordinal) && line.EndsWith(": stopped", StringComparison.Ordinal));
            var end = lines.FindIndex(line => line.Contains("Stopped: every event", StringComparison.Ordinal));
            Assert.True(feed >= 0 && feed < end && end == lines.Count - 1, stage.Program.Process.Tail(10));
        });
    }
}
