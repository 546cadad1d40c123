// Row R01: does the feed come back when Redis is killed and restarted, and is the gap declared?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R01_RedisKilledFeedTests(SharedBroker broker)
{
    [Fact]
    public async Task Redis_killed_and_restarted_closes_its_clients_and_the_feed_subscribes_again_and_declares_a_gap()
    {
        await FeedFaults.RunAsync(broker, async (stage, run) =>
        {
            await using var client = await stage.ConnectAsync();
            Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
            await run.MoreAsync(300);

            // RestartAsync kills Redis first.
            await stage.Redis.RestartAsync();

            Assert.Empty(await client.ReadToEndAsync());
            await FeedFaults.DeclaredAsync(run, "connection_lost");
            // The new process did not know the flags, so the program has set them again.
            Assert.Contains('$', (await stage.Redis.CallAsync("CONFIG", "GET", FeedFaults.Flags)).Texts[1]);
            await run.MoreAsync(300);
        }, isLong: false);
    }
}
