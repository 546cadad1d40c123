// Row R08: is it noticed, mended and declared when somebody takes the notification flags away?
using System.Diagnostics;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R08_FlagsTakenTests(SharedBroker broker)
{
    [Fact]
    public async Task Flags_that_somebody_takes_away_are_noticed_within_5_s_and_set_again_and_declared()
    {
        await FeedFaults.RunAsync(broker, async (stage, run) =>
        {
            await run.MoreAsync(200);
            await stage.Redis.CallAsync("CONFIG", "SET", FeedFaults.Flags, "");
            var clock = Stopwatch.StartNew();
            await Eventually.ValueAsync("the flags", async () => (await stage.Redis.CallAsync("CONFIG", "GET", FeedFaults.Flags)).Texts[1], flags => flags.Contains('$'));
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"it took {clock.Elapsed.TotalSeconds:0.0} s");
            await FeedFaults.DeclaredAsync(run, "flags_missing");
            await run.MoreAsync(200);
        });
    }

    [Fact]
    public async Task Flags_taken_away_just_before_the_feed_is_killed_are_declared_from_the_last_moment_they_were_seen()
    {
        await FeedFaults.RunAsync(broker, async (stage, run) =>
        {
            for (var kills = 1; kills <= 3; kills++)
            {
                await run.MoreAsync(500);
                await stage.Redis.CallAsync("CONFIG", "SET", FeedFaults.Flags, "");
                // This takes longer than the interval of markers, and less than the interval of the looks at the flags.
                await run.MoreAsync(1000);
                await stage.Redis.CallAsync("CLIENT", "KILL", "TYPE", "pubsub");
                await Eventually.ValueAsync("the flags", async () => (await stage.Redis.CallAsync("CONFIG", "GET", FeedFaults.Flags)).Texts[1], flags => flags.Contains('$'));
                await stage.Program.ReadyAsync();
            }
            await run.MoreAsync(200);
        });
    }
}
