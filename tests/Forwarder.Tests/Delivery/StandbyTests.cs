using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>What does a member of a group do while another one delivers, when it becomes the holder, and when the lists refuse its term?</summary>
public sealed class StandbyTests
{
    [Fact]
    public async Task A_standby_touches_no_list_and_keeps_a_link()
    {
        var rig = new DeliveryRig(isHolder: false);
        rig.Store.Entries.Add("0\nset\nold");
        Assert.False(rig.Loop.IsBrokerThere);
        for (var look = 0; look < 20; look++) await rig.AdvanceAsync(3);
        Assert.Equal((0, 1, true, DeliveryState.Live), (rig.Store.Steps, rig.Broker.Attempts, rig.Loop.IsBrokerThere, rig.Loop.State));

        rig.Broker.IsReachable = false;
        rig.Broker.Current!.Break(0);
        for (var look = 0; look < 20; look++) await rig.AdvanceAsync(3);
        Assert.Equal((0, false, DeliveryState.Live), (rig.Store.Steps, rig.Loop.IsBrokerThere, rig.Loop.State));

        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(11);
        Assert.True(rig.Loop.IsBrokerThere);
        rig.Broker.Current!.Block(true);
        await rig.SettleAsync();
        Assert.Equal((false, DeliveryState.Live), (rig.Loop.IsBrokerThere, rig.Loop.State));
    }

    [Fact]
    public async Task A_standby_searches_for_no_lists()
    {
        var stores = new FakeStores();
        var rig = new DeliveryRig(stores: stores, isHolder: false);
        await rig.AdvanceAsync(60);
        Assert.Equal(0, stores.Searches);
        rig.Loop.Hold(1);
        await rig.SettleAsync();
        Assert.Equal(1, stores.Searches);
    }

    [Fact]
    public async Task The_holder_counts_the_list_first_and_sends_what_is_in_it_before_anything_newer()
    {
        var rig = new DeliveryRig(isHolder: false);
        await rig.AdvanceAsync(1);
        rig.Store.Entries.Add("0\nset\nold");
        rig.Loop.Hold(1);
        rig.Give(1);
        await rig.DrainAsync();
        Assert.Equal(["old", "k0"], rig.QueuedKeys);
        Assert.Equal((1L, 2L), (rig.Ledger.Snapshot().Adopted, rig.Ledger.Snapshot().Confirmed));
        HandOverModelTests.AssertAddsUp(rig);
    }

    [Fact]
    public async Task The_holder_stores_what_the_broker_does_not_take_and_has_its_link_when_nothing_happens()
    {
        var rig = new DeliveryRig(isHolder: false);
        rig.Broker.IsReachable = false;
        rig.Loop.Hold(1);
        rig.Give(2);
        await rig.AdvanceAsync(2);
        Assert.Equal(2, rig.Store.Entries.Count);
        rig.Broker.IsReachable = true;
        await rig.DrainAsync();
        rig.Broker.Current!.Break(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(11);
        Assert.True(rig.Loop.IsBrokerThere);
    }

    [Fact]
    public async Task Hold_once_more_only_raises_the_term_and_counts_the_list_if_it_rises()
    {
        var rig = new DeliveryRig(isHolder: false);
        rig.Loop.Hold(3);
        rig.Give(1);
        await rig.SettleAsync();
        var steps = rig.Store.Steps;
        foreach (var (term, expected) in ((long, long)[])[(3, 3), (8, 8), (5, 8)])
        {
            rig.Loop.Hold(term);
            await rig.SettleAsync();
            Assert.Equal(expected, rig.Stores.Fence.Term);
        }

        Assert.Equal((steps + 1, 1, 0L), (rig.Store.Steps, rig.Loop.UnconfirmedCount, rig.Ledger.Snapshot().HandedOver));
    }

    [Fact]
    public async Task What_is_in_memory_of_a_standby_is_neither_sent_nor_stored()
    {
        var rig = new DeliveryRig(isHolder: false);
        rig.Give(2);
        for (var look = 0; look < 10; look++) await rig.AdvanceAsync(3);
        Assert.Equal((2L, 0, 0), (rig.Ledger.Snapshot().WaitingMemory, rig.Loop.UnconfirmedCount, rig.Store.Steps));
        rig.Loop.Hold(1);
        await rig.DrainAsync();
        Assert.Equal(["k0", "k1"], rig.QueuedKeys);
    }

    [Fact]
    public async Task After_a_disconnect_no_link_is_opened_until_somebody_asks_for_one()
    {
        var rig = new DeliveryRig(isHolder: false);
        await rig.AdvanceAsync(1);
        var disconnect = rig.Loop.DisconnectAsync();
        await rig.SettleAsync();
        Assert.True(await disconnect);
        await rig.AdvanceAsync(60);
        Assert.Equal((1, false), (rig.Broker.Attempts, rig.Loop.IsBrokerThere));
        var connect = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(0, (await connect).Code);
        Assert.Equal((2, true), (rig.Broker.Attempts, rig.Loop.IsBrokerThere));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_standby_ends_at_once(bool isBrokerThere)
    {
        var rig = new DeliveryRig(isHolder: false);
        (rig.Broker.IsReachable, rig.Store.IsDown) = (isBrokerThere, true);
        await rig.AdvanceAsync(1);
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        await rig.SettleAsync();
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal((0L, 0), (await stop, rig.Store.Steps));
    }

    [Fact]
    public async Task A_holder_that_hands_over_while_it_ends_ends_at_once()
    {
        var rig = new DeliveryRig(isHolder: false);
        (rig.Broker.IsReachable, rig.Store.IsDown) = (false, true);
        rig.Loop.Hold(1);
        rig.Give(3);
        await rig.AdvanceAsync(2);
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        await rig.SettleAsync();
        Assert.False(rig.Loop.HasEnded);
        rig.Loop.HandOver();
        await rig.SettleAsync();
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal((0L, 3L, 0L), (await stop, rig.Ledger.Snapshot().HandedOver, rig.Ledger.Snapshot().Dropped[(int)DropReason.Shutdown]));
    }

    [Fact]
    public async Task A_refusal_by_the_fence_is_told_and_the_batch_is_stored_at_once_with_a_higher_term()
    {
        var rig = new DeliveryRig(isHolder: false);
        rig.Broker.IsReachable = false;
        rig.Loop.Hold(5);
        await rig.AdvanceAsync(1);
        Assert.Null(rig.Loop.Fenced);
        rig.Store.FencedBy = 7;
        rig.Give(3);
        await rig.AdvanceAsync(2);
        var refusal = Assert.IsType<KeyEvt.Forwarder.Delivery.Stores.FenceRefusal>(rig.Loop.Fenced);
        Assert.Equal(7, refusal.Term);
        Assert.InRange(refusal.Timestamp, 1, rig.Time.GetTimestamp());
        for (var second = 0; second < 60; second++) await rig.AdvanceAsync(1);
        Assert.Equal((3L, 0L), (rig.Ledger.Snapshot().WaitingMemory, rig.Ledger.Snapshot().DroppedTotal));
        Assert.True(rig.Loop.Fenced!.Timestamp > refusal.Timestamp);

        rig.Loop.Hold(8);
        Assert.Null(rig.Loop.Fenced);
        rig.Store.FencedBy = null;
        await rig.SettleAsync(); // without a pause
        Assert.Equal((3, 3L, 0L), (rig.Store.Entries.Count, rig.Ledger.Snapshot().WaitingFallback, rig.Ledger.Snapshot().WaitingMemory));
        Assert.Null(rig.Loop.Fenced);
        HandOverModelTests.AssertAddsUp(rig);
    }

    [Theory]
    [InlineData(7, true)]
    [InlineData(8, false)] // it was refused before the higher term was asked for
    public async Task Only_a_refusal_for_a_higher_term_than_was_asked_for_is_told(long term, bool isTold)
    {
        var rig = new DeliveryRig(isHolder: false);
        rig.Loop.Hold(term);
        rig.Store.FencedBy = 8;
        await rig.SettleAsync();
        Assert.Equal(isTold, rig.Loop.Fenced is not null);
        rig.Loop.HandOver();
        Assert.Null(rig.Loop.Fenced);
        await rig.SettleAsync();
        Assert.Null(rig.Loop.Fenced);
    }

    [Fact]
    public async Task What_the_fence_refuses_goes_into_no_other_store()
    {
        var stores = new FakeStores();
        var rig = new DeliveryRig(stores: stores, isHolder: false);
        rig.Broker.IsReachable = false;
        rig.Loop.Hold(5);
        rig.GiveOf(1, 1, "a");
        await rig.AdvanceAsync(2);
        stores.Stores[1].FencedBy = 7;
        for (var n = 2; n <= 60; n++)
        {
            rig.GiveOf(1, n, $"b{n}");
            await rig.AdvanceAsync(1);
        }

        Assert.Equal((0, 1, 0), (stores.Stores[0].Entries.Count, stores.Stores[1].Entries.Count, stores.Stores[2].Entries.Count));
        Assert.Equal((59L, 7L), (rig.Ledger.Snapshot().WaitingMemory, rig.Loop.Fenced!.Term));
        rig.Loop.Hold(8);
        stores.Stores[1].FencedBy = null;
        await rig.AdvanceAsync(10);
        Assert.Equal((60, 0L), (stores.Stores[1].Entries.Count, rig.Ledger.Snapshot().WaitingMemory));
        HandOverModelTests.AssertAddsUp(rig);
    }
}
