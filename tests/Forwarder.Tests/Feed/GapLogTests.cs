using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Which spans become gaps, and which gaps are kept?</summary>
public class GapLogTests
{
    private static readonly EventPosition Last = new(1, 10, 3);
    private static readonly EventPosition First = new(2, 11, 0);
    private static readonly RedisFault Lost = new(RedisFaultKind.Closed, "closed");

    private readonly FakeTimeProvider _time = new();
    private readonly GapLog _gaps = new(capacity: 3);
    private readonly FeedCoverage _coverage;

    public GapLogTests() => _coverage = new FeedCoverage("node", _gaps, _time, NullLogger.Instance);

    [Fact]
    public void A_lost_subscription_is_a_gap_from_the_last_proof_to_the_next_confirmation()
    {
        Cover();
        var proven = ClockReading.Now(_time);
        _time.Advance(TimeSpan.FromSeconds(1));
        _coverage.Prove(proven);
        _time.Advance(TimeSpan.FromSeconds(1));

        _coverage.Lost(Lost, Last);
        Assert.Equal(1, _gaps.Open);
        _time.Advance(TimeSpan.FromSeconds(3));
        _coverage.Subscribed(First);

        var gap = Assert.Single(_gaps.Recent);
        Assert.Equal((proven.Wall, _time.GetUtcNow(), TimeSpan.FromSeconds(5)), (gap.From, gap.To, gap.Duration));
        Assert.Equal((Last, First), (gap.LastPosition, gap.FirstPosition!.Value));
        Assert.Equal(0, _gaps.Open);
    }

    [Fact]
    public void Each_node_has_its_own_totals_and_forgotten_gaps_are_in_them()
    {
        var other = new FeedCoverage("other", _gaps, _time, NullLogger.Instance);
        Cover();
        for (var i = 0; i < 10; i++)
        {
            _coverage.Lost(Lost, Last);
            _time.Advance(TimeSpan.FromSeconds(2));
            _coverage.Subscribed(First);
        }

        other.Want(true, Last);
        other.Subscribed(First);
        other.Lost(Lost, Last);
        Assert.Equal(3, _gaps.Recent.Count);
        Assert.Equal(new GapTotals(10, 0, TimeSpan.FromSeconds(20)), _gaps.OfNode("node"));
        Assert.Equal(new GapTotals(1, 1, TimeSpan.Zero), _gaps.OfNode("other"));
        Assert.Equal(default, _gaps.OfNode("nobody"));
    }

    [Fact]
    public void What_is_known_late_to_be_missing_from_before_the_open_gap_makes_that_one_begin_then()
    {
        Cover();
        var earlier = ClockReading.Now(_time);
        _time.Advance(TimeSpan.FromSeconds(2));
        _coverage.Prove(ClockReading.Now(_time));
        _coverage.Lost(Lost, First);
        _coverage.Missed(GapCause.Promoted, "demoted", earlier, Last, First);
        _time.Advance(TimeSpan.FromSeconds(1));
        _coverage.Subscribed(First);

        var gap = Assert.Single(_gaps.Recent);
        Assert.Equal((earlier.Wall, Last, TimeSpan.FromSeconds(3)), (gap.From, gap.LastPosition, gap.Duration));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_silent_node_that_another_one_succeeds_leaves_a_gap_and_one_that_speaks_again_before_that_leaves_none(bool speaks)
    {
        Cover();
        var proven = ClockReading.Now(_time);
        _time.Advance(TimeSpan.FromSeconds(2));
        _coverage.Silence((new RedisFault(RedisFaultKind.Silent, "silent"), Last));
        _time.Advance(TimeSpan.FromSeconds(3));
        if (speaks) _coverage.Silence(null);
        _coverage.Succeeded(First, First, default);
        if (speaks) _coverage.Prove(ClockReading.Now(_time));
        _coverage.Lost(Lost, Last);

        Assert.Equal(
            speaks ? [] : [(GapCause.Silent, proven.Wall, _time.GetUtcNow(), First)],
            _gaps.Recent.Select(gap => (gap.Cause, gap.From, gap.To!.Value, gap.FirstPosition!.Value)));
    }

    [Fact]
    public void Before_the_first_subscription_there_is_no_gap()
    {
        _coverage.Want(true, default);
        _coverage.Lost(Lost, Last);

        Assert.Equal(0, _gaps.Total);
    }

    [Fact]
    public void What_is_not_wanted_is_not_missed_and_wanting_nothing_ends_a_gap()
    {
        Cover();
        _coverage.Lost(Lost, Last);
        _coverage.Want(false, Last);
        Assert.False(Assert.Single(_gaps.Recent).IsOpen);

        _coverage.Subscribed(First);
        _coverage.Lost(Lost, Last);
        Assert.Equal(1, _gaps.Total);

        _coverage.Want(true, Last);
        _coverage.Subscribed(First);
        _coverage.Lost(Lost, Last);
        Assert.Equal(2, _gaps.Total);
    }

    [Fact]
    public void A_span_that_is_found_out_while_a_gap_is_open_is_part_of_it_from_its_own_beginning()
    {
        Cover();
        var earlier = ClockReading.Now(_time);
        _time.Advance(TimeSpan.FromSeconds(1));
        _coverage.Prove(ClockReading.Now(_time));
        _coverage.Lost(Lost, First);

        _coverage.Missed(GapCause.FlagsMissing, "doubtful", earlier, Last, First);
        _coverage.Missed(GapCause.FlagsMissing, "later", ClockReading.Now(_time), First, First);

        var gap = Assert.Single(_gaps.Recent);
        Assert.Equal((earlier.Wall, Last, "closed; doubtful", true), (gap.From, gap.LastPosition, gap.Detail, gap.IsOpen));
    }

    [Fact]
    public void A_gap_ends_only_when_subscription_and_flags_are_both_back()
    {
        Cover();
        var good = ClockReading.Now(_time);
        _time.Advance(TimeSpan.FromSeconds(2));
        _coverage.FlagsLost("flags", good, Last);
        _coverage.Lost(Lost, Last);
        _coverage.Subscribed(First);
        Assert.Equal(1, _gaps.Open);

        _coverage.FlagsFound(First);

        var gap = Assert.Single(_gaps.Recent);
        Assert.Equal((GapCause.FlagsMissing, good.Wall, false), (gap.Cause, gap.From, gap.IsOpen));
    }

    [Fact]
    public void Flags_found_missing_after_a_lost_connection_make_its_gap_begin_when_they_were_last_seen()
    {
        Cover();
        var seen = ClockReading.Now(_time);
        _time.Advance(TimeSpan.FromSeconds(2));
        _coverage.Prove(ClockReading.Now(_time));
        _coverage.Lost(Lost, First);
        _time.Advance(TimeSpan.FromSeconds(1));
        _coverage.Subscribed(First);
        _coverage.Lost(Lost, First);
        _coverage.FlagsLost("flags", seen, Last);
        _coverage.Subscribed(First);
        Assert.Equal(1, _gaps.Open);
        _coverage.FlagsFound(First);

        var gap = _gaps.Recent[^1];
        Assert.Equal((GapCause.ConnectionLost, seen.Wall, Last, TimeSpan.FromSeconds(3), false), (gap.Cause, gap.From, gap.LastPosition, gap.Duration, gap.IsOpen));
        Assert.Contains("flags", gap.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_newest_are_kept_all_are_counted_and_open_ones_are_never_forgotten()
    {
        var opened = new List<long>();
        var closed = new List<long>();
        _gaps.Opened += gap => opened.Add(gap.Id);
        _gaps.Closed += gap => closed.Add(gap.Id);
        Cover();
        _coverage.Lost(Lost, Last);
        var other = new FeedCoverage("other", _gaps, _time, NullLogger.Instance);
        other.Want(true, default);
        for (var i = 0; i < 5; i++)
        {
            other.Subscribed(First);
            other.Lost(Lost, Last);
        }

        other.Subscribed(First);
        Assert.Equal((6, 1), (_gaps.Total, _gaps.Open));
        Assert.Equal([1, 5, 6], _gaps.Recent.Select(gap => gap.Id));
        Assert.Equal([1, 2, 3, 4, 5, 6], opened);
        Assert.Equal([2, 3, 4, 5, 6], closed);
    }

    [Fact]
    public void A_span_known_when_it_is_over_is_closed_at_once()
    {
        Cover();
        _coverage.Missed(GapCause.Promoted, "promoted", ClockReading.Now(_time), Last, First);

        Assert.False(Assert.Single(_gaps.Recent).IsOpen);
        Assert.Equal(0, _gaps.Open);
    }

    [Fact]
    public void Who_is_told_of_a_gap_may_have_another_thread_ask_the_feed_for_something()
    {
        var isFree = false;
        void Ask(Gap gap)
        {
            var other = new Thread(() => _coverage.Prove(ClockReading.Now(_time)));
            other.Start();
            isFree = other.Join(TimeSpan.FromSeconds(5));
        }

        _gaps.Opened += Ask;
        Cover();
        _coverage.Lost(Lost, Last);
        Assert.True(isFree, "at the opening");

        isFree = false;
        _gaps.Closed += Ask;
        _coverage.Subscribed(First);
        Assert.True(isFree, "at the closing");
    }

    private void Cover()
    {
        _coverage.Want(true, default);
        _coverage.Subscribed(Last);
    }
}
