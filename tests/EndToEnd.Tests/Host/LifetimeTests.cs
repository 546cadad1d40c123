// How does the program start and end?
using System.Diagnostics;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Host;

public sealed class LifetimeTests(SharedBroker broker)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(ChildProcess.SigTerm)]
    [InlineData(ChildProcess.SigInt)]
    public async Task Idle_it_ends_at_once_with_0(int signal)
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await client.CallAsync("PING");
            stage.Program.Process.Signal(signal);
            Assert.Equal(0, await stage.Program.Process.ExitAsync(Limit));
            Assert.Empty(await client.ReadToEndAsync());
        });
    }

    [Fact]
    public async Task Under_load_everything_is_confirmed_before_it_ends()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$" }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "k", 20_000);
            var clock = Stopwatch.StartNew();
            Assert.Equal(0, await stage.Program.StopAsync());
            Assert.True(clock.Elapsed < Limit, $"took {clock.Elapsed}");
            await stage.Consumer.WaitForAsync((int)(20_000 - await stage.FallbackLengthAsync()));
        });
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("frozen")]
    public async Task With_the_broker_away_everything_is_stored_and_sent_by_the_next_run(string how)
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, new StageSetting { Events = "$", AmqpPort = relay.Port, Options = ["--delivery-mode", "2"] }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = new List<string>(await Changes.SetAsync(client, "warm", 100));
            await stage.Consumer.WaitForAsync(100);
            if (how == "cut") relay.Cut();
            else relay.Pause();
            keys.AddRange(await Changes.SetAsync(client, "k", 5000));
            var clock = Stopwatch.StartNew();
            Assert.Equal(0, await stage.Program.StopAsync());
            Assert.True(clock.Elapsed < Limit, $"took {clock.Elapsed}");

            relay.Reset();
            relay.Resume();
            relay.Accept();
            await using var next = await KeyEvtProcess.StartAsync(stage.Arguments());
            await Eventually.TrueAsync("all events", () => stage.Consumer.Received.Select(message => message.Key).Distinct().Count() == keys.Count);
            var seen = new HashSet<string>();
            Assert.Equal(keys, stage.Consumer.Received.Select(message => message.Key).Where(seen.Add));
            await Eventually.ValueAsync("an empty fallback storage", stage.FallbackLengthAsync, length => length == 0);
            Ledger.AssertAddsUp(await next.InfoAsync());
        });
    }

    [Fact]
    public async Task A_command_that_runs_is_answered_before_the_end()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await client.SendCommandAsync("BLPOP", "work", "0");
            await Eventually.TrueAsync("a blocked client", async () => (await stage.Redis.CallAsync("INFO", "clients")).Text.Contains("blocked_clients:1", StringComparison.Ordinal));
            stage.Program.Process.Signal(ChildProcess.SigTerm);
            await Eventually.TrueAsync("no more accepting", async () =>
            {
                try
                {
                    await using var late = await stage.Program.ConnectAsync();
                    return (await late.ReadToEndAsync(TimeSpan.FromMilliseconds(100))).Length == 0;
                }
                catch (System.Net.Sockets.SocketException)
                {
                    return true;
                }
            });
            await stage.Redis.CallAsync("RPUSH", "work", "done");
            Assert.Equal(["work", "done"], (await client.ReadReplyAsync()).Texts);
            Assert.Equal(0, await stage.Program.Process.ExitAsync(Limit));
        });
    }

    [Fact]
    public async Task A_port_that_is_taken_is_an_error_with_its_name()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false }, async stage =>
        {
            var result = await KeyEvtProcess.RunAsync(["--listen", $"127.0.0.1:{stage.Program.Port}", "--admin", "off", "--upstream", stage.Redis.Url]);
            Assert.NotEqual(0, result.ExitCode);
            Assert.Contains($"127.0.0.1:{stage.Program.Port}", result.Output + result.Errors, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task It_starts_and_waits_when_redis_is_not_there_yet()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.KillAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url], waitReady: false);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await program.GetAsync("/healthz")).Status);
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, (await program.GetAsync("/readyz")).Status);
        await redis.RestartAsync();
        await program.ReadyAsync();
        Assert.Equal("PONG", (await program.CallAsync("PING")).Text);
        Assert.Equal('*', (await program.CallAsync("key_evt_amqp.keymask_get")).Type);
    }
}
