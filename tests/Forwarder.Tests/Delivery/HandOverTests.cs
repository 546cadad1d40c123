using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Fallback.Lists;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>What becomes of events when another member of the group delivers from now on, in each state and with steps under way?</summary>
public sealed class HandOverTests
{
    [Theory]
    [InlineData("confirm")]
    [InlineData("refuse")]
    [InlineData("return")]
    [InlineData("break")]
    public async Task What_the_broker_says_later_of_handed_over_events_is_ignored(string late)
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { MaxAttempts = 1 });
        await rig.RouteOneAsync();
        rig.Give(5);
        await rig.SettleAsync();
        await HandOverAsync(rig, 5);
        Assert.Equal(0, rig.Loop.UnconfirmedCount);

        var link = rig.Broker.Current!;
        for (var i = 0; i < 5; i++)
        {
            if (late == "confirm") link.ConfirmOne(0);
            else if (late == "refuse") link.RefuseOne(0);
            else if (late == "return") link.ReturnOne(0);
            await rig.SettleAsync();
            AssertAddsUp(rig);
        }

        if (late == "break") link.Break(2);
        await HoldAsync(rig, 1);
        rig.Give(1);
        await rig.AdvanceAsync(11);
        Assert.Equal("k5", KeyOf(Assert.Single(rig.Broker.Current!.Unconfirmed).Body)); // only this one, and without a pause behind refused ones
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        var now = rig.Ledger.Snapshot();
        Assert.Equal((2L, 5L, 0L, 0L), (now.Confirmed, now.HandedOver, now.DroppedTotal, now.Difference));
        Assert.Equal((0L, 0L), (rig.Loop.Refused, rig.Loop.Returned));
    }

    [Fact]
    public async Task A_message_that_the_library_is_still_busy_with_is_ended_before_another_is_sent()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Broker.Current!.Hangs = true;
        rig.Give(2);
        await rig.SettleAsync();
        await HandOverAsync(rig, 2);
        await HoldAsync(rig, 1);
        rig.Give(1);
        await rig.SettleAsync();
        Assert.Single(rig.Broker.Current.Unconfirmed);
        rig.Broker.Current.Hangs = false;
        rig.Broker.Current.Taken.SetResult();
        await rig.SettleAsync();
        Assert.Equal(["k0", "k2"], rig.Broker.Current.Unconfirmed.Select(message => KeyOf(message.Body)));
        rig.Broker.Current.ConfirmUpTo(2);
        await rig.SettleAsync();
        Assert.Equal((2L, 2L, 0L), (rig.Ledger.Snapshot().Confirmed, rig.Ledger.Snapshot().HandedOver, rig.Ledger.Snapshot().WaitingMemory));
        AssertAddsUp(rig);
    }

    [Fact]
    public async Task Hold_before_the_loop_has_run_keeps_what_has_come_in_between()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Give(3);
        rig.Loop.HandOver();
        rig.Give(2);
        rig.Loop.Hold(2);
        rig.Give(1);
        await rig.SettleAsync();
        Assert.Equal(["k3", "k4", "k5"], rig.Broker.Current!.Unconfirmed.Select(message => KeyOf(message.Body)));
        Assert.Equal((3L, 3L), (rig.Ledger.Snapshot().HandedOver, rig.Ledger.Snapshot().WaitingMemory));
        AssertAddsUp(rig);
    }

    [Fact]
    public async Task A_refused_append_is_not_tried_again()
    {
        var rig = await StoringAsync();
        rig.Store.IsDown = true;
        rig.Give(3);
        await rig.SettleAsync();
        Assert.True(rig.Loop.Stores.HasAppendPending);
        await HandOverAsync(rig, 3);
        rig.Store.IsDown = false;
        await AssertUntouchedAsync(rig);
        Assert.Empty(rig.Store.Entries);
        Assert.Equal(1, rig.Store.Forgotten);
    }

    [Fact]
    public async Task The_late_answer_of_an_append_is_not_booked()
    {
        var (rig, answer) = await AppendingAsync();
        rig.Loop.HandOver();
        await rig.RoundsAsync();
        Assert.Equal((3L, DeliveryState.Live, 0), (rig.Ledger.Snapshot().HandedOver, rig.Loop.State, rig.Store.Forgotten));
        answer.SetResult();
        await rig.SettleAsync();
        Assert.Equal((3, 0L, 1), (rig.Store.Entries.Count, rig.Loop.Stores.Length, rig.Store.Forgotten));
        AssertAddsUp(rig);
        await AssertUntouchedAsync(rig);
    }

    [Fact]
    public async Task A_new_time_as_the_holder_uses_the_lists_when_the_steps_of_the_one_before_have_ended()
    {
        var (rig, answer) = await AppendingAsync();
        var steps = rig.Store.Steps;
        rig.Loop.HandOver();
        rig.Loop.Hold(7);
        rig.Give(2);
        await rig.RoundsAsync();
        Assert.Equal((1L, steps), (Fence(rig).Term, rig.Store.Steps)); // the one under way still has the term of before
        Assert.Equal((3L, 2L), (rig.Ledger.Snapshot().HandedOver, rig.Ledger.Snapshot().WaitingMemory));
        answer.SetResult();
        rig.Store.Until = null;
        await rig.SettleAsync();
        Assert.Equal(7, Fence(rig).Term);
        Assert.Equal((3L, 0L), (rig.Ledger.Snapshot().Adopted, rig.Ledger.Snapshot().Difference)); // they had got there
        rig.Broker.IsReachable = true;
        await rig.DrainAsync();
        Assert.Equal(["k0", "k1", "k2", "k3", "k4"], rig.QueuedKeys.Order());
        AssertAddsUp(rig);
    }

    [Fact]
    public async Task A_bug_in_a_step_that_was_given_up_still_ends_the_loop()
    {
        var (rig, answer) = await AppendingAsync();
        rig.Loop.HandOver();
        await rig.RoundsAsync();
        answer.SetException(new NullReferenceException("a bug"));
        await Assert.ThrowsAsync<NullReferenceException>(rig.SettleAsync);
    }

    [Fact]
    public async Task What_is_stored_is_left_in_the_list_and_counted_anew_by_the_next_time_as_the_holder()
    {
        var rig = await StoringAsync();
        rig.Give(20);
        await rig.SettleAsync();
        await HandOverAsync(rig, 20);
        await AssertUntouchedAsync(rig);
        Assert.Equal((20, 0L), (rig.Store.Entries.Count, rig.Loop.Stores.Length));
        rig.Store.Entries.RemoveRange(0, 5); // the other holder has sent them
        await HoldAsync(rig, 2);
        Assert.Equal((15L, 15L, 0L), (rig.Ledger.Snapshot().Adopted, rig.Ledger.Snapshot().WaitingFallback, rig.Ledger.Snapshot().DroppedTotal));
        rig.Broker.IsReachable = true;
        await rig.DrainAsync();
        Assert.Equal(15, rig.Broker.Queue.Count);
        AssertAddsUp(rig);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // somebody has taken the front of the list meanwhile
    public async Task In_the_middle_of_a_drain_all_that_is_not_confirmed_is_handed_over(bool isTaken)
    {
        var rig = await DrainingAsync();
        var confirmed = rig.Broker.Queue.Count;
        if (isTaken) rig.Store.Entries.RemoveRange(0, 8);
        await rig.AdvanceAsync(2);
        await HandOverAsync(rig, 20 - confirmed);
        Assert.True(rig.Loop.Stores.Drain.IsEmpty);
        rig.Broker.Current!.ConfirmUpTo(rig.Broker.Current.Unconfirmed.Count);
        await AssertUntouchedAsync(rig);
        Assert.Equal(confirmed, rig.Ledger.Snapshot().Confirmed);
        var left = rig.Store.Entries.Count;
        await HoldAsync(rig, 2);
        await rig.DrainAsync();
        Assert.Equal(left, rig.Ledger.Snapshot().Adopted);
        Assert.Equal(isTaken ? 19 : 20, rig.QueuedKeys.Distinct().Count()); // seven had reached the broker, and twelve were left
        AssertAddsUp(rig);
    }

    [Fact]
    public async Task While_disconnected_it_stays_so()
    {
        var rig = await StoringAsync();
        rig.Store.IsDown = true;
        rig.Give(3);
        await rig.SettleAsync();
        var disconnect = rig.Loop.DisconnectAsync();
        await rig.SettleAsync();
        await disconnect;
        rig.Store.IsDown = false;
        await HandOverAsync(rig, 3, DeliveryState.Stopped);
        await AssertUntouchedAsync(rig, DeliveryState.Stopped);
        rig.Loop.Hold(3);
        await rig.SettleAsync();
        Assert.Equal(DeliveryState.Stopped, rig.Loop.State);
    }

    [Fact]
    public async Task Twice_is_like_once()
    {
        var rig = await StoringAsync();
        rig.Give(4);
        await rig.SettleAsync();
        await HandOverAsync(rig, 4);
        await HandOverAsync(rig, 4);
        await AssertUntouchedAsync(rig);
    }

    /// <summary>There is no broker, and the list has been counted.</summary>
    private static async Task<DeliveryRig> StoringAsync()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Broker.IsReachable = false;
        rig.Broker.Current!.Break(0);
        await rig.SettleAsync();
        return rig;
    }

    /// <summary>Three events are on their way into the list, which does not answer before the test says so.</summary>
    private static async Task<(DeliveryRig Rig, TaskCompletionSource Answer)> AppendingAsync()
    {
        var rig = await StoringAsync();
        var answer = new TaskCompletionSource();
        var steps = rig.Store.Steps;
        rig.Store.Until = answer.Task;
        rig.Give(3);
        while (rig.Store.Steps == steps) await rig.RoundsAsync();
        return (rig, answer);
    }

    private static async Task<DeliveryRig> DrainingAsync()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Window = 4, StoreBatch = 5 });
        rig.Broker.IsReachable = false;
        rig.Give(20);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(11);
        rig.Broker.Current!.ConfirmOne(0);
        await rig.SettleAsync();
        rig.Broker.Current.ConfirmUpTo(2);
        await rig.SettleAsync();
        Assert.Equal(DeliveryState.Draining, rig.Loop.State);
        return rig;
    }

    private static ListFence Fence(DeliveryRig rig) => rig.Stores.Fence;

    internal static async Task HandOverAsync(DeliveryRig rig, long count, DeliveryState? state = DeliveryState.Live)
    {
        rig.Loop.HandOver();
        await rig.SettleAsync();
        var now = rig.Ledger.Snapshot();
        Assert.Equal((count, 0L), (now.HandedOver, now.WaitingMemory));
        if (state is { } expected) Assert.Equal(expected, rig.Loop.State);
        Assert.False(rig.Loop.Stores.HasAppendPending);
        AssertAddsUp(rig);
    }

    internal static async Task HoldAsync(DeliveryRig rig, long term)
    {
        rig.Loop.Hold(term);
        await rig.SettleAsync();
        Assert.Equal(term, Fence(rig).Term);
        AssertAddsUp(rig);
    }

    private static async Task AssertUntouchedAsync(DeliveryRig rig, DeliveryState state = DeliveryState.Live)
    {
        var steps = rig.Store.Steps;
        for (var look = 0; look < 10; look++) await rig.AdvanceAsync(3);
        Assert.Equal((steps, state), (rig.Store.Steps, rig.Loop.State));
        AssertAddsUp(rig);
    }

    private static string KeyOf(string body) => body[(body.LastIndexOf('\n') + 1)..];

    private static void AssertAddsUp(DeliveryRig rig) => HandOverModelTests.AssertAddsUp(rig);
}
