// Row R01: how many writes of clients of the program lie in the gap when Redis is killed and restarted?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class R01_RedisKilledWritersTests(SharedBroker broker)
{
    /// <summary>How many writes one kill may cost: a batch of each of the two writers.</summary>
    private const int LastBatches = 20;

    /// <summary>
    /// Redis writes its reply to the client first, and the event to its subscribers after it. If it is killed between the two, the last batch of a writer lies in the gap, and nothing can prevent
    /// that. If requests did not wait for the feed, a few hundred writes would lie there for each kill.
    /// </summary>
    [Theory]
    [InlineData(4)]
    [InlineData(20, Explicit = true)]
    public async Task What_is_written_through_the_proxy_while_Redis_is_killed_and_restarted_lies_in_no_gap(int restarts)
    {
        await CoveredWriters.RunAsync(broker, async (stage, run) =>
        {
            for (var kill = 1; kill <= restarts; kill++)
            {
                await run.MoreAsync(2500);
                // RestartAsync kills Redis first.
                await stage.Redis.RestartAsync();
                await Eventually.ValueAsync("its gap to be over", () => Task.FromResult(run.Watch.Gaps.Count(gap => gap.To is not null)), over => over >= kill);
            }

            await run.MoreAsync(1000);
        }, inGaps => Assert.True(inGaps <= LastBatches * restarts, $"{inGaps} of {restarts} kills"));
    }
}
