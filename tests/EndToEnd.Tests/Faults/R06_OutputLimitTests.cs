// Row R06: does the feed come back when Redis cuts it off for its output, and is the gap declared?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R06_OutputLimitTests(SharedBroker broker)
{
    [Fact]
    public async Task A_feed_killed_by_the_output_limit_in_a_burst_subscribes_again_and_declares_a_gap()
    {
        await FeedFaults.RunAsync(broker, async (stage, run) =>
        {
            await stage.Redis.CallAsync("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
            await run.MoreAsync(300);

            // While a script runs Redis writes to nobody. So some 10 MB of notifications come at once.
            await stage.Redis.CallAsync("EVAL", "for i = 1, 100000 do redis.call('SET', 'burst:' .. i, 'v') end return 'OK'", "0");

            await FeedFaults.DeclaredAsync(run, "connection_lost");
            Assert.True(await stage.NumberAsync("upstream.reconnects") >= 1);
            await run.MoreAsync(300);
        });
    }
}
