// Row R15: Redis is busy or frozen for a while. A waiting subscriber gets everything afterwards. Does the feed get it too?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R15_RedisBusyTests(SharedBroker broker)
{
    private const int Burst = 20_000;

    [Theory]
    [InlineData("script", 1)]
    [InlineData("script", 2.5)]
    [InlineData("script", 4)]
    [InlineData("script", 20)]
    [InlineData("sleep", 4)]
    [InlineData("stop", 2.5)]
    [InlineData("stop", 20)]
    public async Task All_that_a_busy_Redis_tells_its_subscribers_afterwards_is_received_and_nothing_is_a_gap(string how, double seconds)
    {
        var setting = FaultStage.Setting with { Masks = ["^t:"], Redis = ["enable-debug-command yes"] };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(300);
            var busy = BusyAsync(stage.Redis, how, seconds);
            if (seconds >= 4)
            {
                await Eventually.TrueAsync("the silence to be said", async () => (await stage.Program.AdminInfoAsync())["upstream.feed_state"] == "silent", TimeSpan.FromSeconds(seconds));
            }

            var burst = await busy;
            await run.MoreAsync(300);
            var verdict = await run.EndAndShowAsync();

            verdict.NothingLost();
            await stage.WaitForNumberAsync("ledger.filtered", filtered => filtered == burst);
            Assert.Equal((0, 0), (await stage.NumberAsync("gaps.gaps_total"), await stage.NumberAsync("upstream.reconnects")));
        });
    }

    /// <returns>How many keys a script has set that no mask wants.</returns>
    private static async Task<int> BusyAsync(RedisServer redis, string how, double seconds)
    {
        if (how == "stop")
        {
            redis.Freeze();
            await Task.Delay(TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
            redis.Thaw();
            return 0;
        }

        if (how == "sleep")
        {
            await redis.CallAsync("DEBUG", "SLEEP", seconds.ToString(CultureInfo.InvariantCulture));
            return 0;
        }

        const string Script = """
            for i = 1, ARGV[1] do redis.call('SET', 'burst:' .. i, 'v') end
            local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
            local till = now() + ARGV[2]
            repeat until now() >= till
            return 'OK'
            """;
        await using var client = await redis.ConnectAsync();
        await client.SendCommandAsync("EVAL", Script, "0", Burst.ToString(CultureInfo.InvariantCulture), (seconds * 1000).ToString(CultureInfo.InvariantCulture));
        Assert.Equal("OK", (await client.ReadReplyAsync(TimeSpan.FromSeconds(60))).Text);
        return Burst;
    }
}
