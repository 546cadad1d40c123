using KeyEvt.Forwarder.Signals;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Signals;

public sealed class ChangeSignalTests
{
    [Fact]
    public async Task Whoever_waits_is_woken_by_the_next_signal_and_by_none_before()
    {
        var signal = new ChangeSignal();
        signal.Signal();
        var next = signal.Next;
        Assert.False(next.IsCompleted);
        signal.Signal();
        await next.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(signal.Next.IsCompleted);
    }

    [Fact]
    public async Task Nobody_is_forgotten_when_two_signal_at_once()
    {
        var signal = new ChangeSignal();
        var waiting = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(
            () =>
            {
                var late = new List<Task>();
                for (var i = 0; i < 300_000; i++)
                {
                    var next = signal.Next;
                    signal.Signal();
                    if (!next.IsCompleted) late.Add(next); // another one is just doing it
                }

                return late;
            },
            TestContext.Current.CancellationToken)));
        Assert.DoesNotContain(waiting.SelectMany(late => late), task => !task.IsCompleted);
    }
}
