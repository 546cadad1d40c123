using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What is missed at a node that another one may succeed, and when do the requests of clients wait?</summary>
public sealed class FeedCoverageTests
{
    private static readonly EventPosition Last = new(1, 10, 3);
    private static readonly EventPosition First = new(2, 11, 0);
    private static readonly RedisFault Lost = new(RedisFaultKind.Closed, "closed");

    private readonly FakeTimeProvider _time = new();
    private readonly GapLog _gaps = new();
    private readonly CoverageGate _gate;
    private readonly FeedCoverage _coverage;

    public FeedCoverageTests()
    {
        _gate = new CoverageGate("node", TimeSpan.FromSeconds(1), _time, NullLogger.Instance);
        _coverage = new FeedCoverage("node", _gaps, _time, NullLogger.Instance, hasSuccessors: true, _gate);
    }

    private Gap TheGap => Assert.Single(_gaps.Recent);

    [Fact]
    public void A_replica_that_lost_its_connection_and_comes_back_as_a_master_has_missed_what_was_between()
    {
        Cover();
        _coverage.Hold(true, Last);
        var proven = After(1);
        _coverage.Prove(proven);
        After(2);
        _coverage.Lost(Lost, Last);
        Assert.Equal((0, false), (_gaps.Total, _gate.IsHolding));
        After(3);
        _coverage.Hold(false, First);
        _coverage.Subscribed(First);

        Assert.Equal((GapCause.ConnectionLost, "closed; the node was promoted meanwhile"), (TheGap.Cause, TheGap.Detail));
        Assert.Equal((proven.Wall, _time.GetUtcNow(), TimeSpan.FromSeconds(5)), (TheGap.From, TheGap.To!.Value, TheGap.Duration!.Value));
        Assert.Equal((Last, First), (TheGap.LastPosition, TheGap.FirstPosition!.Value));
    }

    [Fact]
    public void What_is_wanted_again_while_the_connection_is_lost_is_promised_from_the_next_subscription_on()
    {
        Cover();
        _coverage.Want(false, Last);
        _coverage.Lost(Lost, Last);
        _coverage.Want(true, Last);
        _coverage.Subscribed(First);
        Assert.Equal(0, _gaps.Total);
    }

    [Fact]
    public void A_replica_that_lost_its_connection_and_comes_back_as_a_replica_has_missed_nothing()
    {
        Cover();
        _coverage.Hold(true, Last);
        _coverage.Lost(Lost, Last);
        _coverage.Hold(true, First, After(1));
        _coverage.Subscribed(First, isReplica: true);
        _coverage.Hold(true, First, After(1));
        _coverage.Hold(false, First);
        _coverage.Subscribed(First);

        Assert.Equal(0, _gaps.Total);
    }

    [Fact]
    public void Requests_wait_whenever_something_is_missing_of_a_master_and_only_then()
    {
        Assert.False(_gate.IsHolding);
        Then(true, () => _coverage.Want(true, Last));
        Then(false, () => _coverage.Subscribed(First));
        Then(true, () => _coverage.Lost(Lost, Last));
        Then(false, () => _coverage.Subscribed(First));
        Then(true, () => _coverage.FlagsLost("flags", null, Last));
        Then(false, () => _coverage.FlagsFound(First));
        Then(true, () => _coverage.FlagsLost("flags", null, Last));
        Then(false, () => _coverage.Hold(true, Last));
        Then(true, () => _coverage.Hold(false, Last));
        Then(false, () => _coverage.Want(false, Last));
        Then(true, () => _coverage.Want(true, Last));
        Then(false, () => _coverage.Succeeded(First, Last, default));
        Then(true, () => _coverage.Hold(false, Last));

        void Then(bool isHolding, Action change)
        {
            change();
            Assert.Equal(isHolding, _gate.IsHolding);
        }
    }

    [Fact]
    public void Flags_that_a_promoted_node_lacks_make_a_gap_from_its_subscription_on()
    {
        var subscribed = Cover();
        _coverage.Hold(true, Last);
        _coverage.FlagsLost("flags", After(1), Last);
        After(1);
        _coverage.Hold(true, Last);
        Assert.Equal(0, _gaps.Total);
        _coverage.Hold(false, First);

        Assert.Equal((GapCause.FlagsMissing, subscribed.Wall, First, true), (TheGap.Cause, TheGap.From, TheGap.LastPosition, TheGap.IsOpen));
        Assert.Equal("the flags were not set when the node was promoted", TheGap.Detail);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Flags_that_were_found_missing_and_set_while_a_promotion_was_settled_make_a_gap(bool isStillReplica)
    {
        Cover();
        _coverage.Hold(true, Last);
        var seen = After(1);
        After(2);
        _coverage.FlagsLost("flags were missing", seen, Last);
        _coverage.FlagsFound(Last);
        if (isStillReplica) _coverage.Hold(true, Last); // nobody missed them
        After(1);
        _coverage.Hold(false, First);
        Assert.Equal(isStillReplica ? 0 : 1, _gaps.Total);
        if (!isStillReplica)
        {
            Assert.Equal((GapCause.FlagsMissing, "flags were missing", seen.Wall), (TheGap.Cause, TheGap.Detail, TheGap.From));
        }
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("flags were missing", 1)]
    [InlineData("flags may have been missing", 1)]
    public void A_gap_in_which_flags_were_missing_is_not_withdrawn_though_others_have_heard_the_stream(string? missed, int gaps)
    {
        Cover();
        After(1);
        _coverage.Lost(Lost, Last);
        _coverage.Subscribed(First, awaitsJudgement: true);
        if (missed == "flags were missing") _coverage.FlagsLost(missed, After(1), First);
        else if (missed is not null) _coverage.Missed(GapCause.FlagsMissing, missed, After(1), First, First);
        _coverage.FlagsFound(First);
        _coverage.Judge(isCovered: true, First);
        Assert.Equal((gaps, 0), (_gaps.Total, _gaps.Open));
    }

    [Fact]
    public void A_node_that_is_promoted_with_all_its_flags_has_no_gap()
    {
        Cover();
        _coverage.Hold(true, Last);
        _coverage.Hold(false, First);

        Assert.Equal(0, _gaps.Total);
    }

    [Fact]
    public void The_gap_of_a_master_that_comes_back_as_a_replica_ends_with_its_successor()
    {
        var closed = new List<long>();
        _gaps.Closed += gap => closed.Add(gap.Id);
        Cover();
        _coverage.Lost(Lost, Last);
        _coverage.Hold(true, Last);
        _coverage.Subscribed(Last, isReplica: true);
        Assert.True(_coverage.IsGapOpen);
        After(2);
        _coverage.Succeeded(First, Last, default);

        Assert.False(_coverage.IsGapOpen);
        Assert.Equal((_time.GetUtcNow(), First), (TheGap.To!.Value, TheGap.FirstPosition!.Value));
        Assert.Equal([1], closed);
    }

    [Fact]
    public void A_node_that_was_replaced_has_no_gaps_before_it_is_covered_anew()
    {
        Cover();
        _coverage.Succeeded(First, Last, default);
        _coverage.Lost(Lost, Last);
        _coverage.Hold(false, First);
        _coverage.FlagsLost("flags", null, Last);
        Assert.Equal(0, _gaps.Total);

        _coverage.FlagsFound(First);
        _coverage.Subscribed(First);
        _coverage.Lost(Lost, Last);
        Assert.Equal(1, _gaps.Open);
    }

    [Fact]
    public void Where_no_other_node_can_succeed_the_role_changes_nothing()
    {
        var alone = new FeedCoverage("alone", _gaps, _time, NullLogger.Instance);
        alone.Want(true, Last);
        alone.Subscribed(First);
        alone.Hold(true, Last);
        alone.Lost(Lost, Last);

        Assert.Equal(1, _gaps.Open);
    }

    [Fact]
    public void What_was_sent_before_the_confirmation_was_read_may_be_lost_with_the_connection()
    {
        _coverage.Want(true, default);
        var asked = After(1);
        After(1);
        _coverage.Subscribed(First, askedAt: asked);
        _coverage.Lost(Lost, Last);
        Assert.Equal(asked.Wall, TheGap.From);
    }

    [Fact]
    public void A_second_confirmation_and_an_older_proof_prove_nothing_new()
    {
        var subscribed = Cover();
        After(5);
        _coverage.Subscribed(First);
        _coverage.Lost(Lost, Last);
        Assert.Equal(subscribed.Wall, TheGap.From);

        _coverage.Subscribed(First);
        var proven = After(2);
        _coverage.Prove(proven);
        _coverage.Prove(subscribed);
        _coverage.Lost(Lost, Last);
        Assert.Equal(proven.Wall, _gaps.Recent[^1].From);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_missed_at_the_end_of_a_process_begins_where_its_flags_were_last_seen(bool canOthersGoOn)
    {
        Cover();
        var seen = After(1);
        _coverage.Prove(After(2));
        _coverage.Lost(Lost, Last, canOthersGoOn);
        _coverage.FlagsUnknown(seen, First);
        After(3);
        _coverage.Subscribed(First, awaitsJudgement: canOthersGoOn);
        _coverage.Judge(isCovered: false, First);
        Assert.Equal((GapCause.ConnectionLost, seen.Wall, First, false), (TheGap.Cause, TheGap.From, TheGap.LastPosition, TheGap.IsOpen));
    }

    [Fact]
    public void Flags_that_were_never_seen_are_missed_from_the_subscription_on()
    {
        var subscribed = Cover();
        After(2);
        _coverage.FlagsLost("flags", null, Last);

        Assert.Equal((subscribed.Wall, "flags"), (TheGap.From, TheGap.Detail));
    }

    [Fact]
    public void Flags_that_were_never_seen_and_a_doubt_from_the_same_moment_leave_the_open_gap_as_it_is()
    {
        Cover();
        var proven = After(2);
        _coverage.Prove(proven);
        _coverage.Lost(Lost, First);
        _coverage.FlagsLost("flags", null, Last);
        _coverage.Missed(GapCause.FlagsMissing, "doubtful", proven, Last, First);

        Assert.Equal((proven.Wall, "closed", First), (TheGap.From, TheGap.Detail, TheGap.LastPosition));
    }

    [Fact]
    public void What_is_found_out_while_nothing_is_wanted_is_no_gap()
    {
        _coverage.Missed(GapCause.Promoted, "promoted", ClockReading.Now(_time), Last, First);
        Assert.Equal(0, _gaps.Total);
    }

    [Fact]
    public void A_silence_is_over_with_the_connection_and_counts_once()
    {
        Cover();
        _coverage.Silence((new RedisFault(RedisFaultKind.Silent, "silent"), Last));
        _coverage.Lost(Lost, Last);
        _coverage.Subscribed(First);
        _coverage.Succeeded(First, Last, default);
        Assert.Equal(GapCause.ConnectionLost, TheGap.Cause);

        _coverage.Hold(false, First);
        _coverage.Subscribed(First);
        _coverage.Silence((new RedisFault(RedisFaultKind.Silent, "silent"), Last));
        _coverage.Succeeded(First, Last, default);
        _coverage.Hold(false, First);
        _coverage.Subscribed(First);
        _coverage.Succeeded(First, Last, default);
        Assert.Equal(2, _gaps.Total);
    }

    [Fact]
    public void The_time_between_two_runs_is_a_gap_of_that_length_and_of_none_where_the_clock_was_put_back()
    {
        var told = new List<string>();
        _gaps.Opened += gap => told.Add($"opened {gap.Id}");
        _gaps.Closed += gap => told.Add($"closed {gap.Id}");
        var to = _time.GetUtcNow();
        _coverage.NotCovered(GapCause.NotRunning, "not running", to.AddHours(-2), Last, to, First);
        _coverage.NotCovered(GapCause.NotRunning, "not running", to.AddHours(2), Last, to, First);

        Assert.Equal(
            [(to.AddHours(-2), to, TimeSpan.FromHours(2)), (to, to, TimeSpan.Zero)],
            _gaps.Recent.Select(gap => (gap.From, gap.To!.Value, gap.Duration!.Value)));
        Assert.All(_gaps.Recent, gap => Assert.Equal((GapCause.NotRunning, Last, First), (gap.Cause, gap.LastPosition, gap.FirstPosition!.Value)));
        Assert.Equal(["opened 1", "closed 1", "opened 2", "closed 2"], told);
    }

    private ClockReading Cover()
    {
        _coverage.Want(true, default);
        _coverage.Subscribed(Last);
        return ClockReading.Now(_time);
    }

    private ClockReading After(int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        return ClockReading.Now(_time);
    }
}
