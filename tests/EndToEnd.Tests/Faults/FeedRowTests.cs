// FaultStage R1, R6, R7, R8: is every span in which Redis' notifications do not reach the feed noticed, ended and declared?
using System.Diagnostics;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class FeedRowTests(SharedBroker broker)
{
    private const string Flags = "notify-keyspace-events";

    [Fact]
    public async Task R1_Redis_killed_and_restarted_closes_its_clients_and_the_feed_subscribes_again_and_declares_a_gap()
    {
        await RunAsync(async (stage, run) =>
        {
            await using var client = await stage.ConnectAsync();
            Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
            await run.MoreAsync(300);

            await stage.Redis.RestartAsync(); // kills it first

            Assert.Empty(await client.ReadToEndAsync());
            await DeclaredAsync(run, "connection_lost");
            Assert.Contains('$', (await stage.Redis.CallAsync("CONFIG", "GET", Flags)).Texts[1]); // the new process knew nothing of it
            await run.MoreAsync(300);
        }, isLong: false);
    }

    [Fact]
    public async Task R6_A_feed_killed_by_the_output_limit_in_a_burst_subscribes_again_and_declares_a_gap()
    {
        await RunAsync(async (stage, run) =>
        {
            await stage.Redis.CallAsync("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
            await run.MoreAsync(300);

            // One script, so Redis writes to nobody meanwhile: some 10 MB of notifications at once.
            await stage.Redis.CallAsync("EVAL", "for i = 1, 100000 do redis.call('SET', 'burst:' .. i, 'v') end return 'OK'", "0");

            await DeclaredAsync(run, "connection_lost");
            Assert.True(await stage.NumberAsync("upstream.reconnects") >= 1);
            await run.MoreAsync(300);
        });
    }

    [Fact]
    public async Task R7_A_feed_killed_by_CLIENT_KILL_subscribes_again_and_declares_a_gap_each_time()
    {
        await RunAsync(async (stage, run) =>
        {
            for (var kills = 1; kills <= 3; kills++)
            {
                await run.MoreAsync(200);
                Assert.Equal(1, (await stage.Redis.CallAsync("CLIENT", "KILL", "TYPE", "pubsub")).Integer);
                await DeclaredAsync(run, "connection_lost", kills);
            }
            await run.MoreAsync(200);
        }, isLong: false);
    }

    [Fact]
    public async Task R7_A_feed_whose_rights_are_taken_says_what_to_grant_and_goes_on_when_it_has_them_again()
    {
        var setting = new StageSetting { Login = ["feed", "secret"], Redis = ["user feed on >secret ~* &* +@all"] };
        await RunAsync(async (stage, run) =>
        {
            await run.MoreAsync(200);
            await stage.Redis.CallAsync("ACL", "SETUSER", "feed", "resetchannels");
            await stage.WaitForFieldAsync("upstream.remedy", remedy => remedy.Contains("&__keyevent@", StringComparison.Ordinal));
            await stage.WaitForNumberAsync("gaps.gaps_open", open => open == 1);
            await run.MoreAsync(200);
            await stage.Redis.CallAsync("ACL", "SETUSER", "feed", "allchannels");
            await DeclaredAsync(run, "connection_lost");
            await run.MoreAsync(200);
        }, setting);
    }

    [Fact]
    public async Task R8_Flags_that_somebody_takes_away_are_noticed_within_5_s_and_set_again_and_declared()
    {
        await RunAsync(async (stage, run) =>
        {
            await run.MoreAsync(200);
            await stage.Redis.CallAsync("CONFIG", "SET", Flags, "");
            var clock = Stopwatch.StartNew();
            await Eventually.ValueAsync("the flags", async () => (await stage.Redis.CallAsync("CONFIG", "GET", Flags)).Texts[1], flags => flags.Contains('$'));
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"it took {clock.Elapsed.TotalSeconds:0.0} s");
            await DeclaredAsync(run, "flags_missing");
            await run.MoreAsync(200);
        });
    }

    [Fact]
    public async Task R8_Flags_taken_away_just_before_the_feed_is_killed_are_declared_from_the_last_moment_they_were_seen()
    {
        await RunAsync(async (stage, run) =>
        {
            for (var kills = 1; kills <= 3; kills++)
            {
                await run.MoreAsync(500);
                await stage.Redis.CallAsync("CONFIG", "SET", Flags, "");
                await run.MoreAsync(1000); // more than a marker's interval, less than that of the looks at the flags
                await stage.Redis.CallAsync("CLIENT", "KILL", "TYPE", "pubsub");
                await Eventually.ValueAsync("the flags", async () => (await stage.Redis.CallAsync("CONFIG", "GET", Flags)).Texts[1], flags => flags.Contains('$'));
                await stage.Program.ReadyAsync();
            }
            await run.MoreAsync(200);
        });
    }

    /// <param name="isLong">The gap lasts while others write; else the feed may be back before the next write.</param>
    private async Task RunAsync(Func<Stage, FaultRun, Task> act, StageSetting? special = null, bool isLong = true)
    {
        var setting = (special ?? FaultStage.Setting) with { Events = FaultStage.Setting.Events, Options = FaultStage.Setting.Options, Masks = ["^t:"] };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await using var run = stage.StartRun();
            await act(stage, run);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.True(!isLong || verdict.InDeclaredGap.Values.Sum() > 0, "no write fell into the gap: this run shows nothing");
        });
    }

    /// <summary>Waits until so many gaps of that cause are over.</summary>
    private static Task DeclaredAsync(FaultRun run, string cause, int count = 1)
        => Eventually.ValueAsync($"{count} gaps: {cause}", () => Task.FromResult(run.Watch.Gaps.Count(gap => gap.Cause == cause && gap.To is not null)), seen => seen == count);
}
