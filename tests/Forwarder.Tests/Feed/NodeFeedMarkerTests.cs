using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Are marker numbers given once, and taken back only when they are due?</summary>
public class NodeFeedMarkerTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public void A_later_run_begins_above_all_numbers_of_an_earlier_one()
    {
        long earlier = 0;
        var clock = new MarkerSequence(_time);
        for (var i = 0; i < 1000; i++) earlier = clock.Next(ClockReading.Now(_time));
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(new MarkerSequence(_time).Reserve() > earlier);
    }

    [Fact]
    public void A_number_tells_its_time_and_rises_even_when_the_clock_goes_back()
    {
        var wall = new JumpingTime();
        var clock = new MarkerSequence(wall);
        clock.Next(ClockReading.Now(wall));
        wall.WallOffset = TimeSpan.FromHours(1);

        var ahead = clock.Next(ClockReading.Now(wall));
        Assert.InRange(EventPosition.MarkerMilliseconds(ahead) - wall.GetUtcNow().ToUnixTimeMilliseconds(), -1000, 0);
        wall.WallOffset = TimeSpan.Zero;
        Assert.Equal(ahead + (1 << 20), clock.Next(ClockReading.Now(wall)));
    }

    [Fact]
    public void A_marker_is_seen_once_and_settles_those_before_it()
    {
        var clock = new MarkerSequence(_time);
        var sentAt = ClockReading.Now(_time);
        long first = clock.Next(sentAt), second = clock.Next(sentAt);
        Assert.True(clock.IsOneDueBefore(second));

        Assert.True(clock.TrySettle(second, out var at));
        Assert.Equal(sentAt, at);
        Assert.False(clock.TrySettle(second, out _));
        Assert.False(clock.TrySettle(first, out _));
        Assert.False(clock.IsOneDueBefore(long.MaxValue));
    }

    [Fact]
    public void What_was_not_sent_or_reserved_only_is_not_seen()
    {
        var clock = new MarkerSequence(_time);
        var sent = clock.Next(ClockReading.Now(_time));
        var reserved = clock.Reserve();

        Assert.False(clock.TrySettle(reserved, out _));
        Assert.False(clock.TrySettle(sent - 1, out _));
        clock.Forget();
        Assert.False(clock.TrySettle(sent, out _));
    }
}
