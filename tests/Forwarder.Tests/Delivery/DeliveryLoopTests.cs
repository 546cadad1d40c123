using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Delivery.Link;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Fallback;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>When does the delivery loop sleep, and what wakes it?</summary>
public sealed class DeliveryLoopTests
{
    private const int TooManyRounds = 10_000;

    private readonly ForwarderConfig _config = new();
    private int _rounds; // each round looks at the configuration

    [Fact]
    public async Task While_there_is_nothing_to_do_the_loop_sleeps()
    {
        var stores = Lists.One(new FakeStore());
        var loop = new DeliveryLoop(new FakeBroker(), stores, new Ledger(), new DeliveryOptions(), Round, new FakeTimeProvider(), NullLogger.Instance);
        var run = loop.RunAsync(); // returns when the loop sleeps
        Assert.False(run.IsCompleted, "the loop did not sleep");
        await loop.StopAsync(TimeSpan.FromSeconds(1), run).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.True(loop.HasEnded);
    }

    [Fact]
    public void Whatever_the_broker_says_wakes_the_loop()
    {
        var signal = new AsyncSignal();
        var inbox = new LinkInbox(signal);
        Action[] words =
        [
            () => inbox.Confirmed(1, 1, multiple: false, refused: false),
            () => inbox.Returned(1, "id", "NO_ROUTE"),
            () => inbox.Blocked(1, "memory"),
            () => inbox.Closed(1, LinkFailureKind.Connection, "gone"),
        ];
        foreach (var word in words)
        {
            word();
            Assert.True(signal.WaitAsync().AsTask().IsCompleted);
        }

        Assert.Equal(words.Length, inbox.TakeAll().Count);
    }

    private ForwarderConfig Round() =>
        Interlocked.Increment(ref _rounds) < TooManyRounds ? _config : throw new InvalidOperationException("the loop does not sleep");
}
