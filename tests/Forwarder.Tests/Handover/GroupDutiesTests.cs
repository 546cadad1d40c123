using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Intake;
using KeyEvt.Forwarder.Tests.Delivery;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>What of delivery is handed over when one of several streams is another member's from now on?</summary>
public sealed class GroupDutiesTests
{
    private readonly DeliveryRig _rig = new(isHolder: false);
    private readonly GroupDuties _duties;
    private readonly IHolderDuties _one;
    private readonly IHolderDuties _two;

    public GroupDutiesTests()
    {
        _duties = new GroupDuties(_rig.Loop);
        (_one, _two) = (_duties.OfStream(), _duties.OfStream());
        _one.Subscribed(1);
        _two.Subscribed(2);
    }

    [Fact]
    public async Task The_events_of_one_stream_are_handed_over_and_those_of_another_are_delivered_on()
    {
        await HoldBothAsync();
        _one.HandOver();
        await _rig.SettleAsync();
        Assert.True(_rig.Loop.Stores.IsHolder);
        Assert.Equal((false, true), (_duties.Holds(1), _duties.Holds(2)));
        Assert.Equal((2L, 1L), (_rig.Ledger.Snapshot().HandedOver, _rig.Ledger.Snapshot().WaitingMemory));

        _rig.Broker.Current!.ConfirmUpTo(3); // also what was handed over when it was on its way
        await _rig.SettleAsync();
        var now = _rig.Ledger.Snapshot();
        Assert.Equal((1L, 2L, 0L, 0L), (now.Confirmed - 1, now.HandedOver, now.WaitingMemory, now.Difference));
    }

    [Fact]
    public async Task With_the_last_stream_the_office_ends()
    {
        await HoldBothAsync();
        _two.HandOver();
        _two.HandOver();
        _one.HandOver();
        await _rig.SettleAsync();
        Assert.True(_rig.Loop.Stores.IsStandby);
        Assert.Equal((3L, 0L, 0L), (_rig.Ledger.Snapshot().HandedOver, _rig.Ledger.Snapshot().WaitingMemory, _rig.Ledger.Snapshot().Difference));
    }

    [Fact]
    public async Task What_a_new_master_inherits_is_handed_over_with_its_own_stream()
    {
        await HoldBothAsync();
        var three = _duties.OfStream();
        three.Subscribed(3);
        _two.Hold(6);
        three.Inherit(_one);
        Assert.Equal((3UL, 2UL, 3UL, 9UL), (_duties.HeirOf(1), _duties.HeirOf(2), _duties.HeirOf(3), _duties.HeirOf(9)));
        await _rig.SettleAsync();
        Assert.Equal((false, true, 0L), (_duties.Holds(1), _duties.Holds(3), _rig.Ledger.Snapshot().HandedOver));
        three.HandOver();
        await _rig.SettleAsync();
        Assert.Equal((2L, 1L), (_rig.Ledger.Snapshot().HandedOver, _rig.Ledger.Snapshot().WaitingMemory));
    }

    [Fact]
    public async Task Nothing_is_handed_over_of_a_stream_that_was_not_held()
    {
        await HoldBothAsync();
        _duties.OfStream().HandOver();
        await _rig.SettleAsync();
        Assert.Equal((0L, true), (_rig.Ledger.Snapshot().HandedOver, _rig.Loop.Stores.IsHolder));
    }

    /// <summary>Two events of the first stream and one of the second are on their way to the broker.</summary>
    private async Task HoldBothAsync()
    {
        _one.Hold(5);
        _two.Hold(4);
        await _rig.SettleAsync();
        await _rig.RouteOneAsync();
        _rig.GiveOf(1, 1, "a");
        _rig.GiveOf(2, 1, "b");
        _rig.GiveOf(1, 2, "c");
        await _rig.SettleAsync();
        Assert.Equal(3, _rig.Loop.UnconfirmedCount);
    }
}
