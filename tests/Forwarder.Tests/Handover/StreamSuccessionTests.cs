using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Group;
using Xunit;
using static KeyEvt.Forwarder.Tests.Handover.HandoverRig;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>What does a member deliver when one node takes the place of another?</summary>
public sealed class StreamSuccessionTests
{
    private const long Second = 1000L << 20;
    private static readonly MessageId ByH = new("h", 20);

    private readonly HandoverRig _old;
    private readonly HandoverRig _new;
    private bool _isOldMaster = true;
    private bool _isNewMaster;

    public StreamSuccessionTests() : this(ringBytes: 100_000)
    {
        // All is kept.
    }

    private StreamSuccessionTests(int ringBytes)
    {
        _old = new HandoverRig(ringBytes, () => _isOldMaster);
        _new = new HandoverRig(ringBytes, () => _isNewMaster, sameProgram: _old);
    }

    [Fact]
    public void The_holder_of_a_replicas_stream_has_nothing_to_deliver_until_the_node_is_a_master()
    {
        _new.Hold();
        Assert.Equal(("", true, false), (_new.Keys, _new.Member.IsHolder, _new.Member.IsDelivering));
        Assert.Empty(_new.Told);
        _isNewMaster = true;
        _new.Serve();
        _new.Event("a");
        Assert.Equal(["a@40-1"], _new.Passed);
        Assert.Equal(["hold 40"], _new.Told);
    }

    [Fact]
    public void What_the_holder_of_both_streams_has_passed_on_is_not_passed_on_again()
    {
        _old.Hold();
        _old.Event("a");
        _new.Hold();
        Promote();
        Assert.Equal(("a", ""), (_old.Keys, _new.Keys));
        Assert.Equal(["hold 40"], _old.Told);
        Assert.Equal(["inherit", "hold 40"], _new.Told);
        Assert.True(_old.Member.HasLeft);
        Assert.False(_new.Member.HasLeft);
    }

    [Fact]
    public void Who_holds_the_new_stream_passes_on_what_the_holder_of_the_old_one_has_left()
    {
        _old.Join(settled: At(31));
        foreach (var key in new[] { "a", "b", "c" }) _old.Event(key);
        _old.Read(Holding("h", 50, ByH, settled: At(31, 1), reach: At(30)));
        _old.Event("d");
        _new.Hold();
        Promote();
        Assert.Equal(["b@31-2", "c@31-3", "d@50-1"], _new.Passed);
    }

    [Fact]
    public void Who_held_the_old_stream_leaves_what_it_has_to_the_holder_of_the_new_one()
    {
        _old.Hold();
        _old.Event("a");
        _new.Join();
        Promote();
        Assert.Equal(["inherit", "hand over"], _new.Told);
        Assert.True(_new.Member.HasLeft);
    }

    [Fact]
    public void While_nobody_holds_the_new_stream_who_held_the_old_one_goes_on_with_what_it_has()
    {
        _old.Hold();
        _old.Event("a");
        _new.Subscribe();
        Promote();
        Assert.Equal(["inherit"], _new.Told);
        _new.Read(new GroupMessage.Who("x", 50));
        Assert.Equal(["inherit"], _new.Told);
        _new.Read(new GroupMessage.FreshClaim("x", 60, 50, default, 0));
        Assert.Equal(["inherit", "hand over"], _new.Told);
    }

    [Fact]
    public void The_next_holder_of_the_new_stream_passes_on_what_was_left_until_the_watermark_is_seconds_behind_it()
    {
        foreach (var seconds in new[] { 4, 6 })
        {
            var test = new StreamSuccessionTests();
            test._old.Join(settled: At(31));
            test._old.Event("a");
            test._new.Join();
            test.Promote();
            Assert.Equal("", test._new.Keys);
            test._new.Read(Mark("x", seconds * Second, At(30)));
            test._new.Read(Holding("h", (seconds * Second) + 1, ByH, settled: At(seconds * Second), reach: At(30)));
            test._new.Member.Claiming((seconds * Second) + 2);
            test._new.Read(new GroupMessage.Claim("m", (seconds * Second) + 2, ByH, At(30)));
            Assert.Equal(seconds == 4 ? "a" : "", test._new.Keys);
        }
    }

    [Fact]
    public void What_a_replaced_master_has_left_is_not_settled_in_its_own_stream()
    {
        _old.Hold();
        _old.Event("a");
        _old.Read(Mark("x", 50, At(30)));
        Promote();
        _old.SettleAll(); // as if the successor's stream had handed it over
        _old.Member.Delivery.Advance();
        Assert.Equal(default, _old.Member.Settled.Settled);
    }

    [Fact]
    public void A_claim_in_the_stream_of_a_master_that_was_replaced_hands_nothing_over()
    {
        _old.Hold();
        _old.Event("a");
        _isOldMaster = false;
        _old.Read(new GroupMessage.Claim("x", 50, new MessageId("m", 40), default));
        Assert.Equal(["hold 40"], _old.Told);
        Assert.Equal(1, _old.Member.KeptCount); // kept for the successor, whatever the watermark says
        _old.Read(Holding("x", 51, new MessageId("x", 50), settled: At(51), reach: At(30)));
        Assert.Equal(1, _old.Member.KeptCount);
    }

    [Fact]
    public void A_lost_connection_hands_nothing_over_until_that_is_said_to_a_master()
    {
        _old.Hold();
        _old.Event("a");
        Assert.NotNull(_old.Member.End(canOthersGoOn: true));
        Assert.Equal(["hold 40"], _old.Told);
        _old.Member.Delivery.Leave();
        Assert.Equal(["hold 40", "hand over"], _old.Told);
    }

    [Fact]
    public void What_a_node_that_died_had_sent_is_left_too()
    {
        _old.Join(settled: At(31));
        _old.Event("a");
        _old.Member.End(canOthersGoOn: true);
        _new.Hold();
        Promote();
        Assert.Equal(["a@31-1"], _new.Passed);
        Assert.Empty(_old.Member.Delivery.TakeEstate());
    }

    [Fact]
    public void What_was_not_heard_of_the_old_master_is_left_once_and_told_once_by_who_delivers()
    {
        _old.Join(settled: At(31));
        Assert.Null(_old.Member.UnheardBehind);
        _old.Member.Hear(false);
        Assert.Equal(At(31), _old.Member.UnheardBehind);
        _old.Member.Delivery.Unheard = new EventPosition(Run, 31, 0);
        _new.Hold();
        Promote();
        Assert.Equal([new EventPosition(Run, 31, 0)], _new.Member.Delivery.Inherited.TakeUnheard());
        Assert.Empty(_new.Member.Delivery.Inherited.TakeUnheard());
        Assert.Empty(_old.Member.Delivery.TakeEstate());
    }

    [Fact]
    public void What_was_not_heard_of_the_old_master_is_forgotten_when_the_new_masters_holder_has_settled_it()
    {
        _old.Join(settled: At(31));
        _old.Member.Delivery.Unheard = new EventPosition(Run, 31, 0);
        _new.Join(settled: At(31));
        Promote();
        _new.Read(Holding("h", 10_000L << 20, ByH, settled: At(9_000L << 20), reach: At(30)));
        Assert.Empty(_new.Member.Delivery.Inherited.TakeUnheard());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_the_holder_has_passed_on_and_no_longer_keeps_is_missing_if_it_loses_the_new_stream_before_that_is_settled(bool isSettled)
    {
        var test = new StreamSuccessionTests(ringBytes: 400);
        test._old.Hold();
        for (var i = 0; i < 50; i++) test._old.Event($"key-{i}");
        test._new.Hold();
        test.Promote();
        for (var i = 0; i < 50; i++) test._new.Event($"key-{i}");
        if (isSettled) test._new.SettleAll();
        test._new.Member.Delivery.Leave();
        Assert.Equal(isSettled ? [] : [new EventPosition(Run, 39, 0)], test._new.Member.Delivery.Inherited.TakeUnheard());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(50)] // more than is kept
    public void What_was_handed_over_and_is_no_longer_kept_is_missing_if_the_node_is_replaced_before_anybody_took_it(int events)
    {
        var test = new StreamSuccessionTests(ringBytes: 400);
        test._old.Hold();
        for (var i = 0; i < events; i++) test._old.Event($"key-{i}");
        test._old.Member.End(canOthersGoOn: true);
        test._old.Member.Delivery.Leave();
        test._new.Hold();
        test.Promote();
        Assert.Equal(events == 50 ? [new EventPosition(Run, 39, 0)] : [], test._new.Member.Delivery.Inherited.TakeUnheard());
    }

    [Fact]
    public void What_is_found_to_be_the_old_masters_own_later_is_left_later()
    {
        _old.Hold();
        _old.Event("a");
        _new.Hold();
        Promote();
        _old.Event("late");
        _new.Serve(_old.Member.Delivery.TakeEstate());
        Assert.Equal(["a@40-1"], _old.Passed);
        Assert.Equal(["late@40-2"], _new.Passed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_held_the_old_stream_claims_the_new_one_for_what_is_not_settled(bool isSettled)
    {
        _old.Hold();
        _old.Event("a");
        _new.Join();
        _new.Event("of the new node");
        if (isSettled) _new.SettleAll();
        Promote();
        var claims = _new.Look(0.1).OfType<GroupMessage.Claim>().Count();
        Assert.Equal((isSettled ? 0 : 1, !isSettled), (claims, _new.Member.IsHolder));
        Assert.Equal(isSettled ? "" : "a of the new node", _new.Keys);
    }

    [Fact]
    public void Who_has_just_become_the_holder_is_left_alone_for_a_second_as_it_may_settle_what_another_old_master_has_left()
    {
        _old.Hold();
        _old.Event("a");
        _new.Join();
        Promote();
        _new.Read(new GroupMessage.Claim("x", 50, ByH, At(30)));
        Assert.Empty(Looks(0.9));
        Assert.Single(Looks(0.2));

        List<GroupMessage.Claim> Looks(double seconds)
        {
            var said = new List<GroupMessage.Claim>();
            for (var look = 0; look < seconds / 0.1; look++)
            {
                said.AddRange(_new.Look(0.1).OfType<GroupMessage.Claim>());
                _new.Read(Holding("x", _new.LastNumber + 1, new MessageId("x", 50), settled: At(50), reach: At(30))); // it is there
            }

            return said;
        }
    }

    [Theory]
    [InlineData("a")]
    [InlineData("")] // nothing was kept: there is nothing to claim for
    public void However_far_the_holder_has_settled_its_stream_that_is_not_forgotten(string key)
    {
        var other = new HandoverRig(sameProgram: _old);
        other.Hold();
        other.Event("of a third node, and not settled");
        _old.Hold();
        if (key.Length > 0) _old.Event(key);
        _new.Join();
        Promote();
        _new.Read(Holding("h", 6 * Second, ByH, settled: At(6 * Second), reach: At(30)));
        _new.Read(Mark("m", (6 * Second) + 1, At(30)));
        var claims = _new.Look(0.1).OfType<GroupMessage.Claim>().Count();
        Assert.Equal((key.Length, key), (claims, _new.Keys));
    }

    [Fact]
    public void It_keeps_the_stream_until_that_is_settled_though_its_broker_has_gone()
    {
        _old.Hold();
        _old.Event("a");
        _new.Join();
        _new.Event("b");
        Promote();
        _new.Look(0.1);
        _new.IsBrokerThere = false;
        Assert.DoesNotContain(OthersHaveABroker(), static message => message is GroupMessage.Resign);
        _new.SettleAll();
        Assert.Contains(OthersHaveABroker(), static message => message is GroupMessage.Resign);
    }

    [Fact]
    public void What_is_found_to_be_the_old_masters_own_later_is_claimed_for_too()
    {
        _old.Hold();
        _old.Event("a");
        _old.SettleAll();
        _new.Join();
        Promote();
        Assert.DoesNotContain(_new.Look(0.1), static message => message is GroupMessage.Claim);
        _old.Event("late");
        _new.Serve(_old.Member.Delivery.TakeEstate());
        _new.Look(0.1);
        Assert.Equal("a late", _new.Keys);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(50)] // more than is kept
    public void What_a_member_no_longer_keeps_when_the_master_is_replaced_is_missing(int events)
    {
        var test = new StreamSuccessionTests(ringBytes: 400);
        test._old.Join(settled: At(31));
        for (var i = 0; i < events; i++) test._old.Event($"key-{i}"); // no message comes behind them
        test._old.Member.End(canOthersGoOn: true);
        test._new.Hold();
        test.Promote();
        Assert.Equal(events == 50 ? [new EventPosition(Run, 31, 0)] : [], test._new.Member.Delivery.Inherited.TakeUnheard());
    }

    [Fact]
    public void A_promoted_replica_whose_subscription_was_lost_meanwhile_keeps_what_it_sent_before()
    {
        _new.Join();
        _new.Member.End(canOthersGoOn: false);
        _isNewMaster = true;
        Keep(_new.Member, new EventPosition(Run, 31, 7), "before");
        _new.Subscribe(label: 70);
        Keep(_new.Member, new EventPosition(Run, 31, 8), "found");
        _new.Event("since");
        _new.Read(new GroupMessage.Who("m", 80));
        _new.Member.Claiming(90);
        _new.Read(new GroupMessage.FreshClaim("m", 90, 80, At(30), 0));
        Assert.Equal(["before@31-7", "found@31-8", "since@89-1"], _new.Passed);
    }

    [Fact]
    public void An_event_that_waited_while_the_state_was_told_gets_the_position_that_all_know()
    {
        _new.Subscribe(label: 5);
        _new.Read(new GroupMessage.Who("m", 30));
        _new.Event("a");
        Assert.Equal(new EventPosition(Run, 5, 1), _new.Member.NameOf(new EventPosition(Run, 5, 1)));
        _new.Read(new GroupMessage.StateOf("h", 31, new MessageId("m", 30), new GroupSnapshot(100, ByH, "h", At(90), [], [], 0, default)));
        Assert.Equal(new EventPosition(Run, 100, 1), _new.Member.NameOf(new EventPosition(Run, 5, 1)));
        Assert.Equal(new EventPosition(Run, 101, 4), _new.Member.NameOf(new EventPosition(Run, 101, 4)));
    }

    /// <returns>What is said then.</returns>
    private List<GroupMessage> OthersHaveABroker()
    {
        var said = _new.Look(0.5);
        _new.Read(Mark("x", _new.LastNumber + 1, At(20)));
        return [.. said, .. _new.Look(0.5)];
    }

    private static void Keep(StreamMember member, EventPosition position, string key) => member.Keep(position, new Notification(0, "set"u8, Encoding.ASCII.GetBytes(key), default, default), 0);

    private void Promote()
    {
        (_isOldMaster, _isNewMaster) = (false, true);
        _new.Serve(_old.Member.Delivery.TakeEstate());
    }
}
