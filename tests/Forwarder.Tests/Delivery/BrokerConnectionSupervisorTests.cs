using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery.Link;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Feed;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>How long is the pause before the next attempt to connect, and what is logged meanwhile?</summary>
public sealed class BrokerConnectionSupervisorTests
{
    private static readonly ForwarderConfig Config = new();
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly FakeBroker _broker = new() { IsReachable = false };
    private readonly FakeTimeProvider _time = new();

    /// <remarks>Up to half of a pause is taken off at random, so each case is tried many times.</remarks>
    [Theory]
    [InlineData(1, 100)]
    [InlineData(2, 200)]
    [InlineData(7, 6400)]
    [InlineData(8, 10_000)]
    [InlineData(20, 10_000)]
    public async Task Pauses_double_from_100_ms_to_10_s(int failures, int longestMilliseconds)
    {
        var longest = TimeSpan.FromMilliseconds(longestMilliseconds);
        for (var run = 0; run < 500; run++)
        {
            var links = Made();
            await FailAsync(links, failures);
            _time.Advance((longest / 2) - Moment);
            Assert.False(await TriesAsync(links));
            _time.Advance((longest / 2) + Moment);
            Assert.True(await TriesAsync(links));
        }
    }

    [Theory]
    [InlineData(LinkFailureKind.Authentication)]
    [InlineData(LinkFailureKind.Channel)]
    public async Task Where_somebody_has_to_change_something_first_the_pause_is_5_s_at_least(LinkFailureKind kind)
    {
        _broker.FailWith = kind;
        var links = Made();
        Assert.True(await TriesAsync(links));
        _time.Advance(TimeSpan.FromSeconds(5) - Moment);
        Assert.False(await TriesAsync(links));
        _time.Advance(Moment);
        Assert.True(await TriesAsync(links));
    }

    [Fact]
    public async Task A_link_that_has_lasted_5_s_makes_the_pauses_short_again_and_one_that_was_lost_before_does_not()
    {
        var links = Made();
        await FailAsync(links, 20);
        await ConnectAsync(links);
        _time.Advance(TimeSpan.FromSeconds(5) - Moment);
        links.Lost(LinkFailureKind.Connection, "gone");
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(await TriesAsync(links));

        await ConnectAsync(links);
        _time.Advance(TimeSpan.FromSeconds(5));
        links.Lost(LinkFailureKind.Connection, "gone");
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(await TriesAsync(links));
    }

    [Fact]
    public async Task The_same_reason_is_logged_every_10_s_at_most()
    {
        var log = new RecordingLogger();
        var links = Made(log);
        await ConnectAsync(links);
        int Said() => log.Lines.Count(line => line.StartsWith("Warning 2101 no link to the broker: gone; ", StringComparison.Ordinal));
        links.Lost(LinkFailureKind.Connection, "gone");
        Assert.Equal(1, Said());
        _time.Advance(TimeSpan.FromSeconds(10) - Moment);
        links.Lost(LinkFailureKind.Connection, "gone");
        Assert.Equal(1, Said());
        _time.Advance(Moment);
        links.Lost(LinkFailureKind.Connection, "gone");
        Assert.Equal(2, Said());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_alarm_of_the_broker_ends_with_the_link_that_it_was_told_on(bool isLost)
    {
        var links = Made();
        await ConnectAsync(links);
        links.BlockedReason = "memory";
        Assert.False(links.IsUsable);
        if (isLost) links.Lost(LinkFailureKind.Connection, "gone");
        else await links.CloseAsync(TimeSpan.FromSeconds(1));

        Assert.Null(links.BlockedReason);
        await ConnectAsync(links);
        Assert.True(links.IsUsable);
    }

    private BrokerConnectionSupervisor Made(ILogger? log = null)
    {
        var signal = new AsyncSignal();
        return new BrokerConnectionSupervisor(_broker, new DeliveryOptions(), new LinkInbox(signal), signal, _time, log ?? NullLogger.Instance);
    }

    /// <summary>Whether an attempt was made. The fake broker answers it at once.</summary>
    private async Task<bool> TriesAsync(BrokerConnectionSupervisor links)
    {
        var before = _broker.Attempts;
        links.Want(Config);
        await links.TakeOutcomeAsync();
        return _broker.Attempts > before;
    }

    private async Task FailAsync(BrokerConnectionSupervisor links, int times)
    {
        for (var failure = 0; failure < times; failure++)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            Assert.True(await TriesAsync(links));
        }
    }

    private async Task ConnectAsync(BrokerConnectionSupervisor links)
    {
        _time.Advance(TimeSpan.FromSeconds(10));
        _broker.IsReachable = true;
        Assert.True(await TriesAsync(links));
        _broker.IsReachable = false;
        Assert.NotNull(links.Link);
    }
}
