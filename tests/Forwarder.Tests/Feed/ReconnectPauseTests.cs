using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>How long does a feed wait before it connects again?</summary>
public sealed class ReconnectPauseTests
{
    private static readonly RedisFault Closed = new(RedisFaultKind.Closed, "closed"), Refused = new(RedisFaultKind.Refused, "refused");

    private readonly NodeFeedOptions _options = new();
    private readonly ReconnectPause _pause;

    public ReconnectPauseTests() => _pause = new ReconnectPause(_options);

    [Fact]
    public void A_subscription_that_held_for_a_while_is_made_again_at_once_and_a_shorter_one_after_a_pause()
    {
        Assert.Equal(TimeSpan.Zero, _pause.After(Closed, _options.ShortestLife, TimeSpan.Zero));
        IsFirst(_pause.After(Closed, _options.ShortestLife - TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void The_time_that_a_failed_attempt_took_is_part_of_the_pause()
    {
        IsFirst(_pause.After(Closed, null, TimeSpan.Zero));
        Assert.True(_pause.After(Closed, null, _options.LongestBackoff) < TimeSpan.Zero);
    }

    [Fact]
    public void After_a_refusal_the_pause_is_a_second_at_least_however_long_the_attempt_took_and_longer_if_it_has_grown()
    {
        Assert.Equal(_options.RefusedBackoff, _pause.After(Refused, null, TimeSpan.FromMinutes(1)));
        for (var i = 0; i < 20; i++) _pause.After(Closed, null, TimeSpan.Zero);
        Assert.InRange(_pause.After(Refused, null, TimeSpan.Zero), _options.LongestBackoff / 2, _options.LongestBackoff);
    }

    [Fact]
    public void A_subscription_that_held_makes_the_next_pause_short_again()
    {
        for (var i = 0; i < 20; i++) _pause.After(Closed, null, TimeSpan.Zero);
        _pause.After(Closed, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        IsFirst(_pause.After(Closed, null, TimeSpan.Zero));
    }

    private void IsFirst(TimeSpan pause) => Assert.InRange(pause, _options.FirstBackoff / 2, _options.FirstBackoff);
}
