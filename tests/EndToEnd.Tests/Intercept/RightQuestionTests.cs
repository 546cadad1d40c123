// Does the question whether somebody may CONFIG SET change anything, or leave anything behind?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Intercept;

[Trait("Concerns", "sessions")]
public sealed class RightQuestionTests
{
    /// <summary>Looks of the feed at its flags; there are four a second.</summary>
    private const int Looks = 12;

    [Fact]
    public async Task Commands_that_change_something_make_no_gap_by_their_question()
    {
        await Stage.RunAsync(rabbit: null, new StageSetting { AmqpUrl = "amqp://guest:guest@127.0.0.1:1/", Queue = false }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await using var direct = await stage.Redis.ConnectAsync();
            var before = await GapsAsync();
            await UntilLooksAsync(async () => Assert.Equal("OK", (await client.CallAsync("key_evt_amqp.rule_clean")).Text));
            await UntilLooksAsync(() => Task.CompletedTask); // a gap is declared when the doubt is over
            Assert.Equal(before, await GapsAsync());

            // As others do who set something: their sets are counted, so a gap it would have been.
            await UntilLooksAsync(async () => Assert.Equal("OK", (await direct.CallAsync("CONFIG", "SET", "maxmemory-samples", "5")).Text));
            await stage.WaitForFieldAsync("gaps.gaps_total", gaps => gaps != before);

            async Task<string> GapsAsync() => (await stage.InfoAsync())["gaps.gaps_total"];

            async Task UntilLooksAsync(Func<Task> act)
            {
                var end = await ConfigGetsAsync(direct) + Looks;
                await Eventually.TrueAsync("the feed has looked often enough", async () =>
                {
                    for (var n = 0; n < 10; n++) await act();
                    return await ConfigGetsAsync(direct) >= end;
                });
            }
        });
    }

    [Fact]
    public async Task Nothing_of_it_is_seen_by_MONITOR_or_kept_in_the_ACL_log()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/"]);
        await using var direct = await redis.ConnectAsync();
        await using var monitor = await redis.ConnectAsync();
        await monitor.CallAsync("MONITOR");
        var before = (await direct.CallAsync("CONFIG", "GET", "*")).ToString();
        Assert.Equal("OK", (await program.CallAsync("key_evt_amqp.rule_clean")).Text);
        Assert.Equal(before, (await direct.CallAsync("CONFIG", "GET", "*")).ToString());
        Assert.Empty((await direct.CallAsync("ACL", "LOG")).Items);
        await direct.CallAsync("ECHO", "end of monitor");
        string line;
        do
        {
            line = (await monitor.ReadReplyAsync()).Text;
            Assert.DoesNotContain("key_evt_amqp.", line, StringComparison.OrdinalIgnoreCase);
        }
        while (!line.Contains("end of monitor", StringComparison.Ordinal));
    }

    private static async Task<long> ConfigGetsAsync(RespClient redis)
    {
        var stats = (await redis.CallAsync("INFO", "commandstats")).Text;
        const string Name = "cmdstat_config|get:calls=";
        var at = stats.IndexOf(Name, StringComparison.Ordinal);
        return at < 0 ? 0 : long.Parse(stats[(at + Name.Length)..].Split(',')[0], CultureInfo.InvariantCulture);
    }
}
