using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Group;
using Xunit;
using static KeyEvt.Forwarder.Tests.Handover.HandoverRig;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>What does a member pass on, what does it keep, and what does it leave to others?</summary>
public sealed class StreamMemberTests
{
    private static readonly MessageId ByH = new("h", 20);

    private readonly HandoverRig _rig = new();

    private StreamMember Me => _rig.Member;

    [Fact]
    public void Nothing_is_passed_on_before_it_is_known_who_delivers()
    {
        _rig.Subscribe();
        _rig.Event("a");
        Assert.Equal(("", false, 1L), (_rig.Keys, Me.IsHolder, Me.KeptCount));
    }

    [Fact]
    public void Who_makes_the_fresh_claim_first_passes_on_what_it_heard_with_the_number_before_the_claim()
    {
        _rig.Subscribe();
        _rig.Event("a");
        _rig.Read(new GroupMessage.Who("m", 30));
        _rig.Event("b");
        Me.Claiming(40);
        Assert.Equal(StreamOutcome.Anew | StreamOutcome.Won, _rig.Read(new GroupMessage.FreshClaim("m", 40, 30, default, 0)));
        _rig.Event("c");
        Assert.Equal(["a@39-1", "b@39-2", "c@40-1"], _rig.Passed);
        Assert.Equal(["hold 40"], _rig.Told);
    }

    [Fact]
    public void Positions_of_the_fresh_start_are_behind_what_was_kept()
    {
        _rig.Subscribe();
        _rig.Read(new GroupMessage.Who("m", 30));
        _rig.Event("a");
        Me.Claiming(40);
        _rig.Read(new GroupMessage.FreshClaim("m", 40, 30, At(90, 7), 0));
        Assert.Equal(["a@91-1"], _rig.Passed);
    }

    [Fact]
    public void A_standby_that_wins_passes_on_what_is_behind_the_watermark_and_then_what_comes()
    {
        _rig.Join(settled: At(31));
        _rig.Event("a");
        _rig.Event("b");
        _rig.Read(Holding("h", 50, ByH, settled: At(31, 1), reach: At(30)));
        _rig.Event("c");
        Assert.Equal(("", 2L), (_rig.Keys, Me.KeptCount));

        Me.Claiming(60);
        _rig.Read(new GroupMessage.Claim("m", 60, ByH, Me.Reach!.Value));
        _rig.Event("d");
        Assert.Equal(["b@31-2", "c@50-1", "d@60-1"], _rig.Passed);
        Assert.Equal(2, Me.LastReplayed);
        Assert.Null(Me.Missing);
    }

    [Fact]
    public void Events_get_the_positions_of_the_stream_when_the_state_is_told()
    {
        _rig.Subscribe();
        _rig.Event("before");
        _rig.Read(new GroupMessage.Who("m", 30));
        _rig.Event("a");
        _rig.Read(Mark("x", 32, At(95)));
        _rig.Event("b");
        _rig.Read(new GroupMessage.StateOf("h", 33, new MessageId("m", 30), new GroupSnapshot(100, ByH, "h", At(90), [], [], 0, default)));
        Assert.Equal(At(100), Me.Reach);

        Me.Claiming(60);
        _rig.Read(new GroupMessage.Claim("m", 60, ByH, At(100)));
        Assert.Equal(["a@100-1", "b@101-1"], _rig.Passed); // what came before the question is others' to keep
        Assert.Equal((At(90), At(100)), Me.Missing);
    }

    [Fact]
    public void If_the_holder_has_never_said_how_far_it_came_everything_since_the_group_began_is_missing_and_nothing_before()
    {
        _rig.Join(settled: default(StreamPlace), origin: ByH);
        Me.Claiming(60);
        _rig.Read(new GroupMessage.Claim("m", 60, ByH, Me.Reach!.Value));
        Assert.Equal((At(19), At(30)), Me.Missing); // what the first holder heard before its claim has the number before it
    }

    [Fact]
    public void What_was_pushed_out_of_the_ring_is_missing()
    {
        var rig = new HandoverRig(ringBytes: 400);
        rig.Join(settled: At(31));
        for (var i = 0; i < 50; i++) rig.Event($"key-{i}");
        rig.Member.Claiming(60);
        rig.Read(new GroupMessage.Claim("m", 60, ByH, rig.Member.Reach!.Value));
        var (from, to) = rig.Member.Missing!.Value;
        Assert.Equal((At(31), 50), (from, to.Count + rig.Passed.Count));
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(20, false)]
    public void Who_lost_its_feed_before_it_was_ever_in_step_is_not_continued_by_others_that_began_anew_later(long origin, bool isContinued)
    {
        _rig.Subscribe(label: 5);
        _rig.Event("lost");
        _rig.Join(origin: new MessageId("h", origin));
        Assert.Equal((isContinued, null), (Me.LastKnown.IsContinued, Me.LastKnown.Undelivered));
    }

    [Fact]
    public void Who_is_claimed_over_hands_over_at_once_and_passes_nothing_more_on()
    {
        _rig.Hold();
        _rig.Event("a");
        Assert.Equal(StreamOutcome.Lost, _rig.Read(new GroupMessage.Claim("x", 60, new MessageId("m", 40), At(39))));
        _rig.Event("b");
        Assert.Equal(("a", "hold 40, hand over"), (_rig.Keys, string.Join(", ", _rig.Told)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_claim_in_its_name_that_it_never_made_does_not_make_it_the_holder(bool isHearing)
    {
        _rig.Join();
        Me.Hear(isHearing);
        _rig.Read(Mark("x", 35, At(10)));
        _rig.Event("a");
        _rig.Read(new GroupMessage.Claim("m", 60, ByH, At(0)));
        Assert.Equal((false, true, ""), (Me.IsHolder, Me.HoldsByLostClaim, _rig.Keys));
        Assert.Empty(_rig.Told);
        Assert.Equal(new MessageId("m", 60), Assert.IsType<GroupMessage.Resign>(Me.ResignLostClaim(70)).Ended);
    }

    [Fact]
    public void A_fresh_claim_in_its_name_does_not_either()
    {
        _rig.Join();
        _rig.Read(new GroupMessage.Who("m", 50));
        _rig.Read(new GroupMessage.FreshClaim("m", 60, 50, default, 0));
        Assert.True(Me.HoldsByLostClaim);
        Assert.Empty(_rig.Told);
    }

    [Fact]
    public void After_it_has_resigned_its_watermark_stands_still_though_memory_is_empty()
    {
        _rig.Hold();
        _rig.Event("a");
        _rig.Read(Mark("x", 50, At(39)));
        var resign = Assert.IsType<GroupMessage.Resign>(Me.BeginResigning()(60));
        Me.Delivery.Advance();
        Assert.Equal((At(0), At(0)), (resign.Watermark, Me.Settled.Settled));
        Assert.Equal("hand over", _rig.Told[^1]);
    }

    [Fact]
    public void Who_loses_its_feed_and_can_be_followed_resigns_over_the_next_connection()
    {
        _rig.Hold();
        _rig.Event("a");
        Assert.Equal(new MessageId("m", 40), Assert.IsType<GroupMessage.Resign>(Me.End(canOthersGoOn: true)!(60)).Ended);
        Assert.Equal(("hand over", true), (_rig.Told[^1], Me.HasLeft));
    }

    [Fact]
    public void Who_loses_its_feed_alone_goes_on_with_what_delivery_has()
    {
        _rig.Hold();
        _rig.Event("a");
        Assert.Null(Me.End(canOthersGoOn: false));
        _rig.Subscribe(label: 50);
        _rig.Read(new GroupMessage.Who("m", 70));
        _rig.Event("b");
        Me.Claiming(80);
        _rig.Read(new GroupMessage.FreshClaim("m", 80, 70, Me.LastKnown.Watermark, 0));
        Assert.Equal(("a b", "hold 40, hold 80"), (_rig.Keys, string.Join(", ", _rig.Told)));
    }

    [Fact]
    public void A_standby_that_finds_nobody_passes_on_what_it_had_kept_before()
    {
        _rig.Join(settled: At(31));
        _rig.Event("a");
        _rig.Subscribe(label: 50);
        _rig.Read(new GroupMessage.Who("m", 70));
        _rig.Event("b");
        Me.Claiming(80);
        _rig.Read(new GroupMessage.FreshClaim("m", 80, 70, Me.LastKnown.Watermark, 0));
        Assert.Equal(["a@31-1", "b@79-1"], _rig.Passed);
    }

    [Fact]
    public void Who_comes_back_to_members_that_knew_it_leaves_to_them_what_it_has()
    {
        _rig.Hold();
        _rig.Event("a");
        Rejoin(origin: new MessageId("m", 40));
        Assert.True(Me.LastKnown.IsContinued);
        Assert.Null(Me.LastKnown.Undelivered);
        Assert.Equal("hand over", _rig.Told[^1]);
    }

    [Fact]
    public void Who_comes_back_to_members_that_began_without_it_settles_first_what_it_has()
    {
        _rig.Hold();
        _rig.Event("a");
        Rejoin(origin: new MessageId("x", 50));
        Assert.Equal((false, true), (Me.LastKnown.IsContinued, Me.IsSettlingEarlier));
        Assert.DoesNotContain("hand over", _rig.Told);

        _rig.SettleAll();
        Me.Delivery.Advance();
        Assert.Equal(("hand over", false), (_rig.Told[^1], Me.IsSettlingEarlier));
    }

    [Fact]
    public void A_standby_that_comes_back_to_such_members_knows_of_no_delivery_behind_its_watermark()
    {
        _rig.Join(settled: At(31), origin: new MessageId("h", 20));
        _rig.Event("a");
        Rejoin(origin: new MessageId("x", 50));
        Assert.Equal((31, 0), (Me.LastKnown.Undelivered!.Value.Marker, Me.LastKnown.Undelivered.Value.Count));
    }

    [Fact]
    public void A_member_in_step_over_which_another_begins_without_knowing_anything_says_so()
    {
        _rig.Join(settled: At(31), origin: new MessageId("h", 20));
        _rig.Event("a");
        _rig.Read(new GroupMessage.Who("x", 50));
        _rig.Read(new GroupMessage.FreshClaim("x", 60, 50, default, 0));
        Assert.Equal(31, Me.LastKnown.Undelivered!.Value.Marker);

        _rig.Read(new GroupMessage.Who("y", 70));
        _rig.Read(new GroupMessage.FreshClaim("y", 80, 70, At(60, 1), 0));
        Assert.Null(Me.LastKnown.Undelivered); // this one knew from where on, and declares it
    }

    [Fact]
    public void Without_a_seat_nothing_is_kept_and_it_counts_as_never_in_step()
    {
        _rig.Join();
        Me.Hear(false);
        _rig.Read(Mark("x", 35, At(10)));
        Assert.Null(Me.Reach);

        Me.End(canOthersGoOn: false);
        Assert.False(Me.LastKnown.WasInStep);
    }

    [Fact]
    public void Without_a_seat_it_knows_whether_others_have_begun_without_it()
    {
        _rig.Join(settled: At(31), origin: new MessageId("h", 20));
        Me.Hear(false);
        _rig.Read(Mark("x", 35, At(10)));
        Rejoin(origin: new MessageId("x", 50));
        Assert.Equal((false, 31L), (Me.LastKnown.IsContinued, Me.LastKnown.Undelivered!.Value.Marker));
    }

    [Fact]
    public void What_was_pushed_out_of_the_ring_before_a_fresh_claim_is_missing()
    {
        var rig = new HandoverRig(ringBytes: 400);
        rig.Subscribe(label: 5);
        rig.Event("lost with the first subscription");
        rig.Subscribe(label: 15);
        for (var i = 0; i < 50; i++) rig.Event($"key-{i}");
        rig.Read(new GroupMessage.Who("m", 30));
        rig.Member.Claiming(40);
        rig.Read(new GroupMessage.FreshClaim("m", 40, 30, default, 0));
        var (from, to) = rig.Member.Missing!.Value;
        Assert.Equal((At(5), At(39), 50, to), (from, At(to.Marker), to.Count + rig.Passed.Count, rig.Member.Reach));
    }

    [Fact]
    public void What_was_pushed_out_of_the_ring_before_the_first_subscription_was_lost_is_missing()
    {
        var rig = new HandoverRig(ringBytes: 400);
        rig.Subscribe(label: 5);
        for (var i = 0; i < 50; i++) rig.Event($"key-{i}");
        rig.Subscribe(label: 15);
        rig.Read(new GroupMessage.Who("m", 30));
        rig.Member.Claiming(40);
        rig.Read(new GroupMessage.FreshClaim("m", 40, 30, default, 0));
        Assert.InRange(rig.Passed.Count, 1, 10);
        Assert.Equal((At(5), rig.Member.Reach), (rig.Member.Missing!.Value.From, rig.Member.Missing.Value.To));
    }

    [Fact]
    public void What_was_pushed_out_of_the_ring_of_what_a_promoted_node_had_sent_before_is_missing()
    {
        var isMaster = false;
        var rig = new HandoverRig(ringBytes: 400, isServing: () => isMaster);
        rig.Hold();
        rig.Read(Holding("m", 50, new MessageId("m", 40), settled: At(45, 3), reach: At(39)));
        rig.Subscribe(label: 60);
        isMaster = true;
        for (var count = 4; count <= 50; count++) rig.EventOf(At(50, count), $"key-{count}"); // it was held back, and is passed on only now
        rig.Read(new GroupMessage.Who("m", 70));
        rig.Member.Claiming(80);
        rig.Read(new GroupMessage.FreshClaim("m", 80, 70, default, 0));
        Assert.InRange(rig.Passed.Count, 1, 10);
        var (from, to) = rig.Member.Missing!.Value;
        Assert.Equal((At(45, 3), At(50, 50 - rig.Passed.Count)), (from, to));
    }

    [Fact]
    public void Who_has_kept_everything_before_its_fresh_claim_misses_nothing()
    {
        _rig.Subscribe(label: 5);
        _rig.Event("a");
        _rig.Subscribe(label: 15);
        _rig.Event("b");
        _rig.Read(new GroupMessage.Who("m", 30));
        Me.Claiming(40);
        _rig.Read(new GroupMessage.FreshClaim("m", 40, 30, default, 0));
        Assert.Equal((null, "a b"), (Me.Missing, _rig.Keys));
    }

    [Fact]
    public void With_a_seat_it_is_in_step_from_the_next_message_on()
    {
        _rig.Join();
        Me.Hear(false);
        _rig.Read(Mark("x", 35, At(10)));
        Me.Hear(true);
        _rig.Event("a");
        _rig.Read(Mark("x", 36, At(10)));
        _rig.Event("b");
        Assert.Equal((At(36), 1L), (Me.Reach, Me.KeptCount));
    }

    [Fact]
    public void While_the_program_ends_what_was_passed_on_is_still_settled_here()
    {
        _rig.Hold();
        _rig.Event("a");
        _rig.Read(Mark("x", 50, At(39)));
        Me.BeginEnding();
        _rig.Event("b");
        _rig.SettleAll();
        Me.Delivery.Advance();
        Assert.Equal(("a", At(40, 1)), (_rig.Keys, Me.Settled.Settled));
        Assert.DoesNotContain("hand over", _rig.Told);
    }

    private void Rejoin(MessageId origin)
    {
        _rig.Subscribe(label: 60);
        _rig.Read(new GroupMessage.Who("m", 70));
        _rig.Read(new GroupMessage.StateOf("x", 71, new MessageId("m", 70), new GroupSnapshot(70, new MessageId("x", 55), "x", At(60), [], [], 0, origin)));
    }
}
