using KeyEvt.Forwarder.Config;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests;

/// <summary>Do changes of the configuration take effect in one order, for the configuration and for all who are told of it?</summary>
public sealed class CurrentConfigTests
{
    [Fact]
    public async Task A_change_is_told_to_everybody_before_the_next_one_is_made()
    {
        var current = new CurrentConfig(new ForwarderConfig());
        var told = new List<string>();
        var second = new Thread(() => current.Change(config => config with { Exchange = "second" }, (_, after) => told.Add(after.Exchange)));

        current.Change(config => config with { Exchange = "first" }, (_, after) =>
        {
            second.Start();
            // The other thread has made its change and has told it, or it waits for this turn to end. There is no third way.
            SpinWait.SpinUntil(() => second.ThreadState is ThreadState.WaitSleepJoin or ThreadState.Stopped, TimeSpan.FromSeconds(10));
            told.Add(after.Exchange);
        });
        await Eventually.TrueAsync("the second change to be told", () => second.ThreadState == ThreadState.Stopped);

        Assert.Equal(["first", "second"], told);
        Assert.Equal("second", current.Value.Exchange);
    }
}
