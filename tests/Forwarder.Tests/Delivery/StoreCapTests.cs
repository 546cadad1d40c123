using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>When are the oldest events dropped because the fallback storage has more than its cap, and how are they counted?</summary>
public sealed class StoreCapTests
{
    [Fact]
    public async Task What_an_earlier_run_left_above_the_cap_is_kept_until_this_one_stores_something()
    {
        var store = new FakeStore();
        store.Entries.AddRange(Enumerable.Range(0, 10).Select(n => $"0\nset\nold{n}"));
        var rig = Capped(store, 4);
        for (var i = 0; i < 10; i++) await rig.AdvanceAsync(1);
        Assert.Equal((10, 0L), (store.Entries.Count, rig.Ledger.Dropped(DropReason.FallbackCap)));

        rig.Give(1);
        await rig.AdvanceAsync(1);
        Assert.Equal((4, 7L), (store.Entries.Count, rig.Ledger.Dropped(DropReason.FallbackCap)));
    }

    [Fact]
    public async Task A_lower_cap_is_applied_although_nothing_more_is_stored()
    {
        var rig = Capped(new FakeStore(), 0);
        rig.Give(10);
        await rig.AdvanceAsync(1);
        Assert.Equal(10, rig.Store.Entries.Count);

        rig.Config = rig.Config with { FallbackStorageSize = 4 };
        await rig.AdvanceAsync(1);
        Assert.Equal((4, 6L), (rig.Store.Entries.Count, rig.Ledger.Dropped(DropReason.FallbackCap)));
    }

    [Fact]
    public async Task A_single_list_is_never_above_its_cap_after_a_step_that_stores()
    {
        var rig = Capped(new FakeStore(), 4);
        bool?[] failures = [null, null, false, false, false]; // the count and the append succeed
        foreach (var failure in failures) rig.Store.Failures.Enqueue(failure);

        rig.Give(10);
        await rig.SettleAsync();
        Assert.Equal((4, 6L), (rig.Store.Entries.Count, rig.Ledger.Dropped(DropReason.FallbackCap)));
    }

    [Fact]
    public async Task With_several_lists_what_was_dropped_is_counted_although_a_batch_was_stored_and_its_answer_lost()
    {
        var stores = new FakeStores();
        var rig = new DeliveryRig(stores: stores, options: new DeliveryOptions { StoreBatch = 16, BufferBytes = 1700 });
        rig.Config = rig.Config with { FallbackStorageSize = 20 };
        rig.Broker.IsReachable = false;
        for (var n = 1; n <= 15; n++) rig.GiveOf(1, n, $"a{n}");
        await rig.AdvanceAsync(1);
        // After these the batch goes to another list, as memory is half full.
        for (var n = 0; n < 3; n++) stores.Stores[1].Failures.Enqueue(true);

        for (var n = 16; n <= 25; n++) rig.GiveOf(1, n, $"b{n}");
        for (var i = 0; i < 100; i++) await rig.AdvanceAsync(0.1);
        Assert.Equal((10, 10), (stores.Stores[0].Entries.Count, stores.Stores[1].Entries.Count));
        var ledger = rig.Ledger.Snapshot();
        Assert.Equal((10L, 15L, 0L), (ledger.Adopted, ledger.Dropped[(int)DropReason.FallbackCap], ledger.Difference)); // 10 events are there twice
    }

    private static DeliveryRig Capped(FakeStore store, long cap)
    {
        var rig = new DeliveryRig(store);
        rig.Config = rig.Config with { FallbackStorageSize = cap };
        rig.Broker.IsReachable = false;
        return rig;
    }
}
