using KeyEvt.Proxy.KeyspaceFanIn;
using Xunit;

namespace KeyEvt.Proxy.Tests;

public sealed class WakeUpTests
{
    [Fact]
    public async Task Whoever_waits_is_woken_by_the_next_signal_and_by_none_before()
    {
        var wakeUp = new ChangeSignal();
        wakeUp.Signal();
        var next = wakeUp.Next;
        Assert.False(next.IsCompleted);
        wakeUp.Signal();
        await next.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(wakeUp.Next.IsCompleted);
    }

    [Fact]
    public async Task Nobody_is_forgotten_when_two_signal_at_once()
    {
        var wakeUp = new ChangeSignal();
        var waiting = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(
            () =>
            {
                var late = new List<Task>();
                for (var i = 0; i < 300_000; i++)
                {
                    var next = wakeUp.Next;
                    wakeUp.Signal();
                    if (!next.IsCompleted) late.Add(next); // another one is just doing it
                }

                return late;
            },
            TestContext.Current.CancellationToken)));
        Assert.DoesNotContain(waiting.SelectMany(late => late), task => !task.IsCompleted);
    }
}
