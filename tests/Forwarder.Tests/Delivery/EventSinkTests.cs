using System.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Which events does delivery take, and which would a member of a group keep for it?</summary>
public sealed class EventSinkTests
{
    private readonly DeliveryRig _rig = new();

    [Fact]
    public void What_the_masks_and_classes_want_is_wanted_and_no_key_of_ours_is()
    {
        _rig.Config = _rig.Config with { Masks = KeyMaskSet.Empty.Add([KeyMask.Parse("^a"u8)]), Events = EventClass.String };
        Assert.True(Wants(EventClass.String, "a1"));
        Assert.False(Wants(EventClass.String, "b1"));
        Assert.False(Wants(EventClass.Hash, "a1"));
        _rig.Config = _rig.Config with { Masks = KeyMaskSet.All };
        Assert.True(Wants(EventClass.String, "b1"));
        Assert.False(Wants(EventClass.String, FallbackKey.Name));
    }

    [Fact]
    public void In_a_group_that_is_stopped_nothing_is_wanted_and_what_comes_is_counted_as_dropped()
    {
        _rig.Config = _rig.Config with { IsStopped = true };
        _rig.Give(2); // delivery itself has not heard of it yet
        Assert.False(Wants(EventClass.String, "k"));
        Assert.Equal((DeliveryState.Live, 2L, 0L), (_rig.Loop.State, _rig.Ledger.Snapshot().Dropped[(int)DropReason.Disconnected], _rig.Ledger.Snapshot().WaitingMemory));
    }

    [Fact]
    public void What_was_kept_is_taken_whatever_is_wanted_now()
    {
        _rig.Config = _rig.Config with { Masks = KeyMaskSet.Empty, IsStopped = true };
        _rig.Sink.Adopted(new EventPosition(1, 1, 1), 0, EventClass.String, "set"u8, "kept"u8, default, 1000);
        Assert.Equal((1L, 0L), (_rig.Ledger.Snapshot().WaitingMemory, _rig.Ledger.Snapshot().Filtered));
    }

    private bool Wants(EventClass eventClass, string key) => _rig.Sink.Wants(0, eventClass, Encoding.ASCII.GetBytes(key), isBefore: false);
}
