using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Two nodes take each other's place, and one of them was not heard in time: what is missed?</summary>
public sealed class FailoverCoverageTests
{
    private static readonly EventPosition Last = new(1, 10, 3);
    private static readonly EventPosition First = new(2, 11, 0);
    private static readonly RedisFault Lost = new(RedisFaultKind.Closed, "closed");

    private readonly FakeTimeProvider _time = new();
    private readonly GapLog _gaps = new();
    private readonly FeedCoverage _coverage;

    public FailoverCoverageTests() => _coverage = new FeedCoverage("node", _gaps, _time, NullLogger.Instance, hasSuccessors: true);

    private Gap TheGap => Assert.Single(_gaps.Recent);

    [Fact]
    public void A_node_that_was_replaced_and_is_a_master_again_on_the_same_connection_is_covered_again()
    {
        Cover();
        _coverage.Succeeded(First, Last, default);
        _coverage.Hold(false, First);
        Assert.Equal(0, _gaps.Total);
        var proven = After(1);
        _coverage.Prove(proven);
        After(1);
        _coverage.Lost(Lost, Last);

        Assert.Equal((GapCause.ConnectionLost, proven.Wall, true), (TheGap.Cause, TheGap.From, TheGap.IsOpen));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_master_that_has_not_answered_since_its_successor_was_a_replica_leaves_a_gap_though_its_silence_was_not_noticed(bool hasAnswered)
    {
        Cover();
        var proven = After(1);
        _coverage.Prove(proven);
        var heardFrom = After(1);
        if (hasAnswered) _coverage.Prove(heardFrom);
        After(1);
        _coverage.Succeeded(First, Last, heardFrom);

        Assert.Equal(hasAnswered ? 0 : 1, _gaps.Total);
        if (!hasAnswered)
        {
            Assert.Equal((GapCause.Silent, proven.Wall, _time.GetUtcNow(), Last, First), (TheGap.Cause, TheGap.From, TheGap.To!.Value, TheGap.LastPosition, TheGap.FirstPosition!.Value));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_replica_that_is_promoted_between_its_answer_and_its_subscription_has_missed_what_it_sent_meanwhile(bool saysItOnceMore)
    {
        _coverage.Want(true, default);
        var asked = After(1);
        _coverage.Hold(true, Last, asked);
        After(1);
        _coverage.Subscribed(Last, isReplica: true);
        if (saysItOnceMore) _coverage.Hold(true, Last, After(1));
        After(1);
        _coverage.Hold(false, First);

        Assert.Equal(saysItOnceMore ? 0 : 1, _gaps.Total);
        if (!saysItOnceMore)
        {
            Assert.Equal((GapCause.ConnectionLost, asked.Wall, _time.GetUtcNow()), (TheGap.Cause, TheGap.From, TheGap.To!.Value));
        }
    }

    [Fact]
    public void An_answer_to_a_question_from_before_the_subscription_does_not_say_that_the_replica_is_covered()
    {
        _coverage.Want(true, default);
        var asked = After(1);
        var askedAgain = After(1);
        After(1);
        _coverage.Hold(true, Last, asked);
        _coverage.Subscribed(Last, isReplica: true);
        _coverage.Hold(true, Last, askedAgain);
        _coverage.Hold(false, First);

        Assert.Equal(asked.Wall, TheGap.From);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_node_that_was_named_as_the_master_and_is_heard_only_as_a_replica_has_sent_what_nobody_heard(bool isNamedStill)
    {
        Cover();
        var asked = After(1);
        _coverage.Hold(true, Last, asked);
        After(1);
        _coverage.Named(true, Last);
        Assert.Equal(0, _gaps.Total);
        var later = After(1);
        if (isNamedStill) _coverage.Hold(true, First, later);
        else _coverage.Named(false, First);

        Assert.Equal((GapCause.Promoted, asked.Wall, later.Wall, First), (TheGap.Cause, TheGap.From, TheGap.To!.Value, TheGap.FirstPosition!.Value));
        _coverage.Hold(true, First, After(1));
        _coverage.Named(false, First);
        Assert.Equal(1, _gaps.Total);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_replaced_master_that_answers_no_more_leaves_a_gap_as_it_may_have_taken_writes_until_it_heard_of_its_successor(bool hasAnswered, bool isEnd)
    {
        Cover();
        var proven = After(1);
        _coverage.Prove(proven);
        After(1);
        _coverage.Succeeded(First, Last, heardFrom: proven);
        Assert.Equal(0, _gaps.Total);
        if (hasAnswered) _coverage.Prove(After(1));
        After(1);
        if (isEnd) _coverage.DeclareUnproven(Last);
        else _coverage.Lost(Lost, Last);
        var declared = _gaps.Total;
        _coverage.DeclareUnproven(Last); // once

        Assert.Equal(hasAnswered ? (0, 0) : (1, 1), (declared, _gaps.Total));
        Assert.All(_gaps.Recent, gap => Assert.Equal((GapCause.Silent, proven.Wall, _time.GetUtcNow()), (gap.Cause, gap.From, gap.To!.Value)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // the topology was looked at behind it, and did not name the node
    public void It_may_have_been_the_master_while_it_was_not_heard_as_a_replica(bool hasLooked)
    {
        Cover();
        var proven = After(1);
        _coverage.Hold(true, Last, proven);
        _coverage.Prove(proven);
        var before = After(1);
        _coverage.Lost(Lost, Last);
        After(1);
        _coverage.Hold(true, Last, After(1));
        _coverage.Subscribed(Last, isReplica: true);
        var asked = After(1);
        _coverage.Hold(true, Last, asked);
        _coverage.Named(true, Last, since: hasLooked ? asked : before);
        After(1);
        _coverage.Named(false, First);

        Assert.Equal(hasLooked ? asked.Wall : proven.Wall, TheGap.From);
    }

    [Fact]
    public void A_node_that_was_never_heard_while_it_was_named_as_the_master_has_a_gap_from_the_beginning_on()
    {
        var begun = ClockReading.Now(_time);
        _coverage.Want(true, default);
        After(1);
        _coverage.Named(true, Last);
        After(1);
        _coverage.Named(false, Last);

        Assert.Equal((begun.Wall, _time.GetUtcNow()), (TheGap.From, TheGap.To!.Value));
    }

    [Fact]
    public void A_master_that_was_never_heard_and_took_the_place_again_is_missed_from_then_on_whoever_named_it_first()
    {
        _coverage.Want(true, default);
        _coverage.Named(true, Last, static () => false); // nobody has listened before this run
        var after = After(1);
        After(1);
        _coverage.ReplacedUnseen(after, Last);
        var declared = _time.GetUtcNow();
        After(1);
        _coverage.Named(false, Last);

        Assert.Equal([(after.Wall, declared), (declared, _time.GetUtcNow())], _gaps.Recent.Select(static gap => (gap.From, gap.To!.Value)));
        Assert.All(_gaps.Recent, static gap => Assert.Equal(GapCause.Promoted, gap.Cause));
    }

    [Fact]
    public void A_master_that_is_heard_and_took_the_place_again_is_not_missed_any_longer()
    {
        Cover();
        _coverage.ReplacedUnseen(After(1), Last);
        _coverage.Named(false, Last);

        Assert.Equal(1, _gaps.Total);
    }

    [Fact]
    public void A_node_that_says_itself_that_it_is_the_master_or_was_one_before_it_was_named_has_missed_nothing()
    {
        Cover();
        _coverage.Named(true, Last);
        _coverage.Named(false, Last);
        _coverage.Hold(true, Last, After(1));
        _coverage.Hold(true, Last, After(1));
        _coverage.Named(true, Last);
        _coverage.Hold(false, First);
        _coverage.Named(false, Last);
        _coverage.Hold(true, Last, After(1));

        Assert.Equal(0, _gaps.Total);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(true, true)]   // others have heard it, or it lies in a gap
    [InlineData(false, true)]
    [InlineData(null, false)]  // nobody has listened before this run
    public void A_master_from_before_this_run_has_a_gap_from_the_beginning_on_if_nobody_knows_what_came_before_it_was_heard_or_it_is_replaced_before(bool? isCovered, bool isMissed)
    {
        var begun = ClockReading.Now(_time);
        _coverage.Want(true, default);
        _coverage.Named(true, Last, () => isMissed);
        After(1);
        _coverage.Hold(false, Last);
        _coverage.Subscribed(Last, awaitsJudgement: true);
        if (isCovered is { } judged) _coverage.Judge(judged, First);
        else _coverage.Named(false, Last);
        var end = _time.GetUtcNow();
        After(1);
        _coverage.Named(false, Last);

        Assert.Equal(isCovered == true || !isMissed ? 0 : 1, _gaps.Total);
        Assert.All(_gaps.Recent, gap => Assert.Equal((begun.Wall, end), (gap.From, gap.To!.Value)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_lost_before_a_gap_and_nobody_could_judge_belongs_to_it_when_the_node_is_succeeded(bool isReplicaByThen)
    {
        Cover();
        var heard = After(1);
        _coverage.Prove(heard);
        _coverage.Lost(Lost, Last, canOthersGoOn: true);
        After(1);
        _coverage.Subscribed(First, awaitsJudgement: true);
        After(1);
        _coverage.Lost(Lost, First); // nobody has said yet whether others have heard what was lost before
        if (isReplicaByThen) _coverage.Hold(true, First, After(1));
        _coverage.Succeeded(First, Last, default);

        Assert.Equal((heard.Wall, Last), (TheGap.From, TheGap.LastPosition));
    }

    [Fact]
    public void A_master_that_was_lost_and_comes_back_as_a_replica_leaves_a_gap_though_others_of_the_group_may_have_heard_it()
    {
        Cover();
        var heard = After(1);
        _coverage.Prove(heard);
        _coverage.Lost(Lost, Last, canOthersGoOn: true);
        Assert.Equal(0, _gaps.Total);
        _coverage.Hold(true, First, After(1));
        After(1);
        _coverage.Subscribed(First, isReplica: true, awaitsJudgement: true);
        var end = _time.GetUtcNow();
        After(1);
        _coverage.Judge(isCovered: true, First);

        Assert.Equal((GapCause.ConnectionLost, heard.Wall, end), (TheGap.Cause, TheGap.From, TheGap.To!.Value));
    }

    [Fact]
    public void What_was_held_back_wrongly_is_missed_until_the_node_is_subscribed_to()
    {
        Cover();
        After(1);
        _coverage.Lost(Lost, Last); // a gap of its own, which its successor ends
        var fenced = After(1);
        _coverage.Succeeded(First, Last, default);
        After(1);
        _coverage.HeldWrongly("held", fenced, Last, Last);
        Assert.Equal((1, 0), (_gaps.Total, _gaps.Open));
        After(1);
        _coverage.Hold(false, First);
        _coverage.Subscribed(First);

        Assert.Equal(2, _gaps.Total);
        Assert.Equal((fenced.Wall, _time.GetUtcNow(), First), (_gaps.Recent[^1].From, _gaps.Recent[^1].To!.Value, _gaps.Recent[^1].FirstPosition!.Value));
    }

    [Fact]
    public void A_node_that_was_replaced_and_named_again_and_comes_back_as_a_replica_was_not_heard_since_it_was_replaced()
    {
        Cover();
        After(1);
        _coverage.Succeeded(First, Last, default);
        var replaced = ClockReading.Now(_time);
        _coverage.Prove(replaced);
        _coverage.Lost(Lost, Last);
        After(1);
        _coverage.Named(true, Last);
        _coverage.HeldWrongly("held", replaced, Last, Last);
        _coverage.Hold(true, First, After(1));
        _coverage.Subscribed(First, isReplica: true);

        Assert.Equal((GapCause.Promoted, replaced.Wall, _time.GetUtcNow()), (TheGap.Cause, TheGap.From, TheGap.To!.Value));
    }

    private void Cover()
    {
        _coverage.Want(true, default);
        _coverage.Subscribed(Last);
    }

    private ClockReading After(int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        return ClockReading.Now(_time);
    }
}
