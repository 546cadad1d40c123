using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Keys;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Which slots count as served by a node while they move?</summary>
public sealed class SlotsServedTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SlotsServed _slots;

    public SlotsServedTests() => _slots = new SlotsServed(_time);

    [Fact]
    public void Where_slots_do_not_matter_every_key_is_served()
    {
        Assert.True(_slots.Serves("a"u8));
        _slots.Change(Slots("b"));
        Assert.False(_slots.Serves("a"u8));
        _slots.Change(null);
        Assert.True(_slots.Serves("a"u8));
    }

    [Fact]
    public void A_slot_that_has_left_counts_as_served_for_five_seconds()
    {
        _slots.Change(Slots("a", "b"));
        _time.Advance(TimeSpan.FromMinutes(1));
        _slots.Change(Slots("b"));
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.True(_slots.Serves("a"u8));
        _slots.Change(Slots("b", "c")); // another change does not make it longer
        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.False(_slots.Serves("a"u8));
        Assert.True(_slots.Serves("b"u8));
        Assert.True(_slots.Serves("c"u8));
        Assert.False(_slots.Serves("never"u8));
    }

    [Fact]
    public void A_slot_that_leaves_again_counts_for_five_seconds_from_then_on()
    {
        _slots.Change(Slots("a"));
        _slots.Change(Slots());
        _time.Advance(TimeSpan.FromSeconds(4));
        _slots.Change(Slots("a"));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.True(_slots.Serves("a"u8));
        _slots.Change(Slots());
        _time.Advance(TimeSpan.FromSeconds(4));

        Assert.True(_slots.Serves("a"u8));
    }

    [Fact]
    public void A_slot_that_comes_is_told_once_and_those_of_the_first_look_and_those_that_leave_are_not()
    {
        _slots.Change(Slots("a"));
        Assert.False(_slots.TakeGained());
        _slots.Change(Slots());
        Assert.False(_slots.TakeGained());
        _slots.Change(Slots("a", "b"));
        Assert.True(_slots.TakeGained());
        Assert.False(_slots.TakeGained());
        _slots.Change(Slots("a", "b"));
        Assert.False(_slots.TakeGained());
        _slots.Change(null);
        _slots.Change(Slots("c"));
        Assert.False(_slots.TakeGained());
    }

    private static bool[] Slots(params string[] keys)
    {
        var served = new bool[SlotTag.Slots];
        foreach (var key in keys) served[SlotTag.SlotOfKey(System.Text.Encoding.ASCII.GetBytes(key))] = true;
        return served;
    }
}
