// Row R16: Redis is killed, and replays its append-only file when it is back. Does the program take a replayed command for an event?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R16_AofReplayTests(SharedBroker broker)
{
    private const int Piece = 1000;

    /// <param name="commands">How many commands the append-only file holds.</param>
    [Theory]
    [InlineData(1000)]
    [InlineData(400_000)]
    public async Task Nothing_that_is_replayed_is_an_event_and_the_gap_ends_when_the_loading_does(int commands)
    {
        // The flags are in the configuration of Redis, so it publishes from the first replayed command on.
        var setting = FaultStage.Setting with { Options = [.. FaultStage.Setting.Options, "--state", "off", "--config-store", "off"], Masks = ["^t:"], Redis = ["appendonly yes", "auto-aof-rewrite-percentage 0", "notify-keyspace-events E$"] };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await using (var client = await stage.Redis.ConnectAsync())
            {
                for (var first = 0; first < commands; first += Piece)
                {
                    await client.CallAsync("EVAL", "for i = 1, ARGV[2] do redis.call('SET', 'r:' .. (ARGV[1] + i), 'v') end return 'OK'", "0", Text(first), Text(Piece));
                }
            }

            await stage.WaitForNumberAsync("ledger.received", received => received == commands);
            var killedAt = TimeProvider.System.GetUtcNow();
            await stage.Redis.RestartAsync();
            var loadedAt = TimeProvider.System.GetUtcNow();
            Assert.Equal(commands, (await stage.Redis.CallAsync("EVAL", "return #redis.call('KEYS', 'r:*')", "0")).Integer);
            await Eventually.ValueAsync("the gap to be over", stage.Program.AdminInfoAsync, info => info["gaps.gaps_total"] == "1" && info["gaps.gaps_open"] == "0");
            await stage.Program.ReadyAsync();
            var readyAfter = TimeProvider.System.GetUtcNow() - loadedAt;

            await stage.Redis.CallAsync("SET", "t:after", "v");
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 1);
            Assert.Equal(commands + 1, await stage.NumberAsync("ledger.received"));
            var gap = Assert.Single((await stage.InfoAsync()).Where(field => field.Key.StartsWith("gaps.gap_", StringComparison.Ordinal)).Select(field => DeclaredGap.Parse(field.Key, field.Value)));
            Assert.Equal("connection_lost", gap.Cause);
            Assert.True(gap.From <= killedAt, $"the gap begins at {gap.From:O}, Redis was killed at {killedAt:O}");
            TestContext.Current.TestOutputHelper?.WriteLine($"ready {readyAfter.TotalMilliseconds:0} ms after Redis was; gap {gap.From:O} to {gap.To:O}");
        });
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
