using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;
using Xunit;
using static KeyEvt.Forwarder.Tests.Handover.HandoverRig;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>What does a member say, and when? And when does it say nothing?</summary>
public sealed class MemberProposalsTests
{
    private static readonly MessageId ByH = new("h", 20);

    private readonly HandoverRig _rig = new();

    [Fact]
    public void Who_is_not_answered_asks_the_stream_once_more_and_then_begins_anew()
    {
        _rig.Subscribe();
        Assert.IsType<GroupMessage.Who>(Assert.Single(_rig.Say()));
        Assert.Empty(_rig.Look(0.15));
        Assert.Null(Assert.IsType<GroupMessage.Mark>(Assert.Single(_rig.Look(0.05))).Reach);
        Assert.IsType<GroupMessage.FreshClaim>(_rig.Look(0.05)[0]);
        Assert.True(_rig.Member.IsHolder);
    }

    [Fact]
    public void Nothing_is_claimed_while_the_node_is_busy()
    {
        _rig.Subscribe();
        _rig.Say();
        Assert.DoesNotContain(_rig.Look(1.9, comesBack: false), message => message is GroupMessage.FreshClaim);
    }

    [Fact]
    public void Where_somebody_was_there_a_moment_ago_an_answer_is_waited_for_longer()
    {
        _rig.Subscribe();
        _rig.Say();
        var young = new KeptWatermark(At(5), IsYoung: true);
        for (var look = 0; look < 19; look++)
        {
            _rig.Time.Advance(TimeSpan.FromMilliseconds(50));
            Assert.Empty(_rig.Say(young));
        }
    }

    [Fact]
    public void Nothing_is_claimed_before_it_is_known_what_was_kept()
    {
        _rig.Subscribe();
        _rig.Say();
        for (var look = 0; look < 30; look++)
        {
            _rig.Time.Advance(TimeSpan.FromMilliseconds(50));
            Assert.DoesNotContain(_rig.Proposals.Due(null).Select(message => message(9000 + look)), message => message is GroupMessage.FreshClaim);
        }
    }

    [Fact]
    public void While_no_events_are_wanted_members_mark_rarely_and_nobody_takes_the_place_of_a_silent_holder()
    {
        _rig.Config.Classes = EventClass.None;
        _rig.Join();
        Assert.InRange(_rig.Look(60).OfType<GroupMessage.Mark>().Count(), 6, 8);
        Assert.Equal("h", _rig.Member.Holder);
    }

    [Fact]
    public void While_no_events_are_wanted_a_holder_that_is_asked_and_silent_is_replaced()
    {
        _rig.Config.Classes = EventClass.None;
        _rig.Join();
        _rig.Look(20);
        _rig.Read(new GroupMessage.Ask("x", 500, GroupMessage.Wish.Connect));
        Assert.Contains(_rig.Look(4), message => message is GroupMessage.Claim);
    }

    [Fact]
    public void The_holder_answers_a_question_at_once()
    {
        _rig.Hold();
        _rig.Read(new GroupMessage.Who("x", 60));
        Assert.Equal(new MessageId("x", 60), Assert.Single(_rig.Say().OfType<GroupMessage.StateOf>()).Asked);
        Assert.Empty(_rig.Look(1).OfType<GroupMessage.StateOf>());
    }

    [Fact]
    public void A_standby_answers_when_the_holder_does_not_and_not_when_it_does()
    {
        _rig.Join();
        _rig.Read(new GroupMessage.Who("x", 60));
        Assert.Empty(_rig.Say().OfType<GroupMessage.StateOf>());
        _rig.Read(new GroupMessage.Who("y", 61));
        _rig.Read(new GroupMessage.StateOf("h", 62, new MessageId("x", 60), _rig.Member.Snapshot()));
        Assert.Equal(new MessageId("y", 61), Assert.Single(_rig.Look(0.3).OfType<GroupMessage.StateOf>()).Asked);
    }

    [Fact]
    public void Behind_a_resignation_the_first_by_rank_claims_at_once()
    {
        _rig.Join(settled: At(31));
        _rig.Read(new GroupMessage.Resign("h", 60, ByH, At(31)));
        Assert.Equal(ByH, Assert.Single(_rig.Say().OfType<GroupMessage.Claim>()).Follows);
        Assert.True(_rig.Member.IsHolder);
    }

    [Theory]
    [InlineData("a", 30, true, 0.1)]   // by name
    [InlineData("z", 30, true, 0)]
    [InlineData("a", 90, true, 0)]     // does not reach back
    [InlineData("a", 30, false, 0)]    // has no broker
    public void Others_that_come_first_are_waited_for(string name, long reach, bool broker, double seconds)
    {
        _rig.Join(settled: At(31));
        _rig.Read(Mark(name, 40, At(reach), broker));
        _rig.Read(new GroupMessage.Resign("h", 60, ByH, At(31)));
        Assert.Equal(seconds == 0, _rig.Say().OfType<GroupMessage.Claim>().Any());
        Assert.True(_rig.Member.IsHolder || _rig.Look(seconds).OfType<GroupMessage.Claim>().Any());
    }

    [Theory]
    [InlineData(false, 4)]  // who reached back has gone, and only its marks still count
    [InlineData(true, 12)]  // it is there, and comes first
    public void Who_does_not_reach_back_delivers_soon_unless_somebody_is_there_who_does(bool isThere, int seconds)
    {
        _rig.Join(settled: At(29));
        for (var i = 0; i < 12; i++)
        {
            _rig.Read((GroupMessage.Mark)Holding("h", 40 + i, ByH, settled: At(29), reach: At(20)) with { Classes = EventClass.All });
        }

        _rig.Read(new GroupMessage.Resign("h", 60, ByH, At(29)));
        for (var second = 0; second < seconds; second++)
        {
            if (isThere) _rig.Read(Mark("x", 100 + second, At(20)));
            _rig.Look(1);
        }

        Assert.Equal(!isThere, _rig.Member.IsHolder);
    }

    [Fact]
    public void A_silent_holder_is_followed_after_a_second_of_events()
    {
        _rig.Join(settled: At(31));
        _rig.Event("a");
        Assert.Empty(_rig.Look(0.95).OfType<GroupMessage.Claim>());
        Assert.NotEmpty(_rig.Look(0.25).OfType<GroupMessage.Claim>());
    }

    [Fact]
    public void A_holder_that_marks_is_not_followed()
    {
        _rig.Join(settled: At(31));
        for (var i = 0; i < 20; i++)
        {
            _rig.Event($"{i}");
            Assert.Empty(_rig.Look(0.25).OfType<GroupMessage.Claim>());
            _rig.Read(Holding("h", 100 + i, ByH, settled: At(31), reach: At(30)));
        }
    }

    [Fact]
    public void Who_ends_claims_nothing()
    {
        _rig.Join(settled: At(31));
        _rig.Proposals.IsEnding = true;
        _rig.Read(new GroupMessage.Resign("h", 60, ByH, At(31)));
        Assert.Empty(_rig.Look(5).OfType<GroupMessage.Claim>());
    }

    [Fact]
    public void Who_has_no_seat_claims_nothing()
    {
        _rig.Join(settled: At(31));
        _rig.Member.Hear(false);
        _rig.Read(new GroupMessage.Resign("h", 60, ByH, At(31)));
        Assert.Empty(_rig.Look(5).OfType<GroupMessage.Claim>());
    }

    [Theory]
    [InlineData(39, true, true)]
    [InlineData(45, true, false)]   // it could not go on without a gap
    [InlineData(39, false, false)]
    public void A_holder_without_a_broker_resigns_for_a_member_that_can_go_on(long reach, bool broker, bool resigns)
    {
        _rig.Hold(kept: At(39));
        _rig.Event("a"); // not settled
        _rig.Say();
        _rig.IsBrokerThere = false;
        Assert.False(Assert.Single(_rig.Look(0.05).OfType<GroupMessage.Mark>()).IsBrokerThere);
        _rig.Time.Advance(TimeSpan.FromMilliseconds(1));
        _rig.Read(Mark("x", 60, At(reach), broker));
        Assert.Empty(_rig.Say().OfType<GroupMessage.Resign>()); // the others may have lost theirs as well
        Assert.Equal(resigns, _rig.Look(0.2).OfType<GroupMessage.Resign>().Any());
    }

    [Fact]
    public void A_resignation_that_does_not_come_back_is_said_again_also_when_the_broker_is_there_again()
    {
        _rig.Hold(kept: At(39));
        _rig.Event("a"); // not settled
        _rig.Say();
        _rig.IsBrokerThere = false;
        _rig.Look(0.05);
        _rig.Time.Advance(TimeSpan.FromMilliseconds(1));
        _rig.Read(Mark("x", 60, At(39)));
        var first = Assert.Single(_rig.Look(0.2, comesBack: false).OfType<GroupMessage.Resign>());
        _rig.IsBrokerThere = true; // the node was busy, and has refused it
        var again = Assert.Single(_rig.Look(2.5, comesBack: false).OfType<GroupMessage.Resign>());
        Assert.Equal((first.Ended, first.Watermark), (again.Ended, again.Watermark));
        _rig.Read(again);
        Assert.Empty(_rig.Look(2.5).OfType<GroupMessage.Resign>());
    }

    [Fact]
    public void What_a_member_said_before_the_broker_went_is_no_reason_to_resign()
    {
        _rig.Hold(kept: At(39));
        _rig.Read(Mark("x", 60, At(39)));
        _rig.Say();
        _rig.Time.Advance(TimeSpan.FromMilliseconds(50));
        _rig.IsBrokerThere = false;
        Assert.Empty(_rig.Look(1).OfType<GroupMessage.Resign>());
    }

    [Fact]
    public void A_claim_of_an_earlier_subscription_is_resigned_from()
    {
        _rig.Join();
        _rig.Read(new GroupMessage.Claim("m", 60, ByH, At(0)));
        Assert.Equal(new MessageId("m", 60), Assert.Single(_rig.Say().OfType<GroupMessage.Resign>()).Ended);
    }

    [Fact]
    public void The_holder_marks_four_times_a_second_while_events_come_and_once_without()
    {
        _rig.Hold();
        _rig.Say();
        var flowing = 0;
        for (var i = 0; i < 40; i++)
        {
            _rig.Event($"{i}");
            flowing += _rig.Look(0.05).Count;
        }

        Assert.InRange(flowing, 7, 9);
        _rig.Look(1.5);
        Assert.InRange(_rig.Look(4).Count, 3, 5);
    }
}
