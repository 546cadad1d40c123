// Row S07: Redis could not be asked how it answers unknown commands. Can a command with a password reach it then?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>The error of an unknown command repeats its arguments. If Redis had got the command, its reply would show them.</summary>
public sealed class S07_UnknownWordsTests
{
    private const string Canary = "canary-amqp-password";
    private static readonly string[] Command = ["key_evt_amqp.config_set", "127.0.0.1", "1", "user", Canary];

    [Fact]
    public async Task Strangers_who_fill_maxclients_switch_nothing_off_and_no_argument_reaches_Redis()
    {
        await Stage.RunAsync(rabbit: null, Setting, async stage =>
        {
            await using var admin = await stage.ConnectAsync();
            await using var direct = await stage.Redis.ConnectAsync();
            // This client has its connection to Redis before the strangers come.
            Assert.Equal("PONG", (await admin.CallAsync("PING")).Text);
            // Each of these connections can be the one on which the program learns how Redis answers. How Redis refuses strangers depends on timing, so there are ten.
            var others = new List<RespClient>();
            while (others.Count < 10)
            {
                others.Add(await stage.ConnectAsync());
                Assert.Equal("PONG", (await others[^1].CallAsync("PING")).Text);
            }

            Assert.Equal("OK", (await direct.CallAsync("CONFIG", "SET", "maxclients", "60")).Text);
            var strangers = new List<RespClient>();
            try
            {
                while (strangers.Count < 70) strangers.Add(await stage.Redis.ConnectAsync());
                await Eventually.TrueAsync("Redis is full", async () => !(await direct.CallAsync("INFO", "stats")).Text.Contains("rejected_connections:0\r", StringComparison.Ordinal));

                foreach (var one in others.Prepend(admin)) Assert.Equal("+OK\\r\\n", (await one.CallAsync(Command)).ToString());

                // A stranger who comes through the proxy may make it ask Redis.
                await using var stranger = await stage.Program.ConnectAsync();
                await stranger.SendCommandAsync("key_evt_amqp.info");
                Assert.Contains("max number of clients reached", await stranger.ReadTextToEndAsync(), StringComparison.Ordinal);
                Assert.Equal("+OK\\r\\n", (await admin.CallAsync("key_evt_amqp.rule_clean")).ToString());
                Assert.Equal("PONG", (await admin.CallAsync("PING")).Text);
            }
            finally
            {
                foreach (var one in strangers.Concat(others)) await one.DisposeAsync();
            }

            await using var later = await stage.ConnectAsync();
            Assert.Equal("user", (await later.CallAsync("key_evt_amqp.config_get", "username")).Texts[1]);
        });
    }

    [Fact]
    public async Task A_Redis_frozen_at_the_start_never_gets_the_arguments_of_a_command()
    {
        await Stage.RunAsync(rabbit: null, Setting with { WaitReady = false, Before = Frozen, Options = ["--log-level", "debug", .. Setting.Options] }, async stage =>
        {
            await using var admin = await stage.Program.ConnectAsync();
            await admin.SendCommandAsync(Command);
            await stage.Program.Process.SaysAsync("asks on its own connection");
            stage.Redis.Thaw();
            Assert.Equal("+OK\\r\\n", (await admin.ReadReplyAsync(TimeSpan.FromSeconds(30))).ToString());
            Assert.Equal("PONG", (await admin.CallAsync("PING")).Text);
            await stage.Program.ReadyAsync();
        });

        static Task Frozen(RedisServer redis)
        {
            redis.Freeze();
            return Task.CompletedTask;
        }
    }

    private static StageSetting Setting => new() { AmqpUrl = "amqp://guest:guest@127.0.0.1:1/", Masks = [], Queue = false, Options = ["--amqp-hosts", "*"] };
}
