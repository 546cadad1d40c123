// Row P14, and R1 and R6 for those who write through the proxy: is nothing passed on while its event would not be heard?
using System.Diagnostics;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class P14_CoveredFirstTests(SharedBroker broker, ITestOutputHelper output)
{
    private const string Flags = "notify-keyspace-events";

    /// <summary>Writes: a batch of each of the two writers.</summary>
    private const int LastBatches = 20;

    /// <summary>Longer than anything here takes: what is waited for is what counts, not the limit.</summary>
    private static readonly string[] Patient = ["--coverage-wait", "20"];

    [Fact]
    public async Task P14_A_write_in_the_first_milliseconds_of_a_life_is_forwarded()
    {
        var rabbit = await broker.GetAsync();
        for (var start = 0; start < 8; start++)
        {
            await Stage.RunAsync(rabbit, new StageSetting { Events = "$", WaitReady = false, Options = Patient }, async stage =>
            {
                await using var client = await stage.Program.ConnectAsync();
                Assert.Equal("OK", (await client.CallAsync("SET", "first", "v")).Text);
                await stage.Consumer.WaitForTextsAsync("0\nset\nfirst");
            });
        }
    }

    /// <summary>
    /// Redis writes its reply to the client first, then the event to its subscribers. Killed between the two it leaves the last batch of a writer in the gap, and nobody can help that; a few
    /// hundred writes a kill lay there while requests did not wait.
    /// </summary>
    [Theory]
    [InlineData(4)]
    [InlineData(20, Explicit = true)]
    public async Task R1_What_is_written_through_the_proxy_while_Redis_is_killed_and_restarted_lies_in_no_gap(int restarts)
    {
        await RunAsync(async (stage, run) =>
        {
            for (var kill = 1; kill <= restarts; kill++)
            {
                await run.MoreAsync(2500);
                await stage.Redis.RestartAsync(); // kills it first
                await Eventually.ValueAsync("its gap to be over", () => Task.FromResult(run.Watch.Gaps.Count(gap => gap.To is not null)), over => over >= kill);
            }

            await run.MoreAsync(1000);
        }, inGaps => Assert.True(inGaps <= LastBatches * restarts, $"{inGaps} of {restarts} kills"));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(20, Explicit = true)]
    public async Task R6_What_is_written_through_the_proxy_while_the_feed_is_cut_off_again_and_again_is_little(int cuts)
    {
        await RunAsync(async (stage, run) =>
        {
            await stage.Redis.CallAsync("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
            for (var cut = 1; cut <= cuts; cut++)
            {
                await run.MoreAsync(1000);
                await stage.Redis.CallAsync("EVAL", "for i = 1, 30000 do redis.call('SET', 'burst:' .. i, 'v') end return 'OK'", "0");
                await Eventually.ValueAsync("the gap to be over", () => Task.FromResult(run.Watch.Gaps.Count(gap => gap.To is not null)), over => over >= cut);
            }

            await run.MoreAsync(1000);
        }, inGaps => Assert.True(inGaps < 50 * cuts, $"{inGaps} of {cuts} cuts")); // what Redis did between the cut and its notice
    }

    [Fact]
    public async Task Requests_wait_while_the_flags_cannot_be_set_and_go_on_when_they_are()
    {
        var setting = new StageSetting { Events = "$", Options = [.. Patient, "--notify-config", "verify"], WaitReady = false };
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
            Options = what == "switched off" ? ["--coverage-wait", "0"] : Patient,
            Login = ["kv", "p"],
            Before = redis => redis.CallAsync("ACL", "SETUSER", "kv", "on", ">p", "~*", "&*", "+@all"),
            Queue = false,
        };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            if (what == "disconnected")
                await stage.CallAsync("key_evt_amqp.disconnect");
            await stage.Redis.CallAsync("ACL", "SETUSER", "kv", "resetchannels"); // the feed is cut off, and may not come back
            await using var client = await stage.Program.ConnectAsync();
            for (var n = 0; n < 5; n++)
                Assert.Equal("OK", (await client.CallAsync("SET", $"k{n}", "v")).Text);
            Assert.Equal(0, long.Parse((await stage.Program.AdminInfoAsync())["upstream.coverage_waits"], System.Globalization.CultureInfo.InvariantCulture));
        });
    }

    /// <summary>Two who write through the proxy, as fast as they are answered.</summary>
    private async Task RunAsync(Func<Stage, FaultRun, Task> act, Action<long> checkInGaps)
    {
        var setting = FaultStage.Setting with { Options = [.. FaultStage.Setting.Options, .. Patient], Masks = ["^t:"] };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await using var run = stage.StartRun(new WriterSetting(stage.Program.Port) { Rate = 2500 }, new WriterSetting(stage.Program.Port) { Rate = 2500 });
            await act(stage, run);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            output.WriteLine($"{verdict.Gaps.Count} gaps, {verdict.Acknowledged} writes, {verdict.InDeclaredGap.Values.Sum()} of them lie in a gap");
            checkInGaps(verdict.InDeclaredGap.Values.Sum());
        });
    }
}
