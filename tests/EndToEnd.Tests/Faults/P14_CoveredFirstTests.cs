// Row P14: is nothing passed on to Redis while its event would not be heard?
using System.Diagnostics;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class P14_CoveredFirstTests(SharedBroker broker)
{
    private const string Flags = "notify-keyspace-events";

    [Fact]
    public async Task A_write_in_the_first_milliseconds_of_a_life_is_forwarded()
    {
        var rabbit = await broker.GetAsync();
        for (var start = 0; start < 8; start++)
        {
            await Stage.RunAsync(rabbit, new StageSetting { Events = "$", WaitReady = false, Options = CoveredWriters.Patient }, async stage =>
            {
                await using var client = await stage.Program.ConnectAsync();
                Assert.Equal("OK", (await client.CallAsync("SET", "first", "v")).Text);
                await stage.Consumer.WaitForTextsAsync("0\nset\nfirst");
            });
        }
    }

    [Fact]
    public async Task Requests_wait_while_the_flags_cannot_be_set_and_go_on_when_they_are()
    {
        var setting = new StageSetting { Events = "$", Options = [.. CoveredWriters.Patient, "--notify-config", "verify"], WaitReady = false };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await using var client = await stage.Program.ConnectAsync();
            await client.SendCommandAsync("SET", "waits", "v");
            await using var direct = await stage.Redis.ConnectAsync();
            await Eventually.ValueAsync("the program to have looked at the flags", () => stage.Program.GetAsync("/info"), info => info.Body.Contains("lacks what is needed", StringComparison.Ordinal));
            Assert.True((await direct.CallAsync("GET", "waits")).IsNull);
            await direct.CallAsync("CONFIG", "SET", Flags, "E$");
            Assert.Equal("OK", (await client.ReadReplyAsync()).Text);
            await stage.Consumer.WaitForTextsAsync("0\nset\nwaits");
        });
    }

    [Fact]
    public async Task A_wait_that_runs_out_is_counted_and_said_and_nobody_waits_after_it()
    {
        var setting = new StageSetting { Events = "$", Options = ["--notify-config", "verify", "--coverage-wait", "1"], WaitReady = false };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await using var client = await stage.Program.ConnectAsync();
            var clock = Stopwatch.StartNew();
            Assert.Equal("OK", (await client.CallAsync("SET", "k", "v")).Text);
            Assert.True(clock.Elapsed > TimeSpan.FromSeconds(0.8), $"it waited {clock.Elapsed.TotalSeconds} s");
            await stage.Program.Process.LineAsync("that it ran out", line => line.Contains("requests waited 1 s", StringComparison.Ordinal));
            Assert.Equal(1, await stage.NumberAsync("upstream.coverage_waits_ran_out"));
            var waits = await stage.NumberAsync("upstream.coverage_waits");
            await Changes.SetAsync(client, "next", 100);
            Assert.Equal(waits, await stage.NumberAsync("upstream.coverage_waits"));
        });
    }

    [Theory]
    [InlineData("nothing is wanted")]
    [InlineData("disconnected")]
    [InlineData("switched off")]
    public async Task Nobody_waits_where(string what)
    {
        var setting = new StageSetting
        {
            Events = "$",
            Masks = what == "nothing is wanted" ? [] : ["ALL"],
            Options = what == "switched off" ? ["--coverage-wait", "0"] : CoveredWriters.Patient,
            Login = ["kv", "p"],
            Before = redis => redis.CallAsync("ACL", "SETUSER", "kv", "on", ">p", "~*", "&*", "+@all"),
            Queue = false,
        };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            if (what == "disconnected") await stage.CallAsync("key_evt_amqp.disconnect");
            // This cuts off the feed, and it may not subscribe again.
            await stage.Redis.CallAsync("ACL", "SETUSER", "kv", "resetchannels");
            await using var client = await stage.Program.ConnectAsync();
            for (var n = 0; n < 5; n++) Assert.Equal("OK", (await client.CallAsync("SET", $"k{n}", "v")).Text);
            Assert.Equal(0, long.Parse((await stage.Program.AdminInfoAsync())["upstream.coverage_waits"], System.Globalization.CultureInfo.InvariantCulture));
        });
    }
}
