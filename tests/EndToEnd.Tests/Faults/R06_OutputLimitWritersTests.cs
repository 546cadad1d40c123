// Row R06: how many writes of clients of the program lie in the gap when Redis cuts the feed off?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class R06_OutputLimitWritersTests(SharedBroker broker)
{
    [Theory]
    [InlineData(4)]
    [InlineData(20, Explicit = true)]
    public async Task What_is_written_through_the_proxy_while_the_feed_is_cut_off_again_and_again_is_little(int cuts)
    {
        // Redis executes some writes between cutting the feed off and the moment when the program notices it: a few dozen, more on a busy machine.
        // A gap lasts a fifth of a second or longer. Without the wait for the feed, a thousand writes and more would lie in each.
        await CoveredWriters.RunAsync(broker, async (stage, run) =>
        {
            await stage.Redis.CallAsync("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
            for (var cut = 1; cut <= cuts; cut++)
            {
                await run.MoreAsync(1000);
                await stage.Redis.CallAsync("EVAL", "for i = 1, 30000 do redis.call('SET', 'burst:' .. i, 'v') end return 'OK'", "0");
                await Eventually.ValueAsync("the gap to be over", () => Task.FromResult(run.Watch.Gaps.Count(gap => gap.To is not null)), over => over >= cut);
            }

            await run.MoreAsync(1000);
        }, inGaps => Assert.True(inGaps < 250 * cuts, $"{inGaps} of {cuts} cuts"));
    }
}
