using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Tests.Fallback;
using Xunit;
using static KeyEvt.Forwarder.Tests.Delivery.HandOverModelTests;
using static KeyEvt.Forwarder.Tests.Delivery.HandOverTests;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>With several lists, or a spool behind the list: what is handed over, and what does the next holder find?</summary>
public sealed class HandOverStoresTests
{
    [Fact]
    public async Task The_cap_drops_nothing_that_is_found_in_the_next_time_as_the_holder()
    {
        var stores = new FakeStores();
        var rig = new DeliveryRig(stores: stores);
        rig.Config = rig.Config with { FallbackStorageSize = 5 };
        rig.Broker.IsReachable = false;
        for (var n = 1; n <= 9; n++) rig.GiveOf((ulong)(n % 3), n, $"k{n}");
        await rig.AdvanceAsync(2);
        Assert.Equal(5, stores.Stores.Sum(store => store.Entries.Count));
        await HandOverAsync(rig, 5);
        for (var n = 0; n < 30; n++) stores.Stores[2].Entries.Add($"0\nset\nx{n}");
        await HoldAsync(rig, 2);
        await rig.AdvanceAsync(10);
        Assert.Equal((35, 35L), (stores.Stores.Sum(store => store.Entries.Count), rig.Loop.Stores.Length));
    }

    [Fact]
    public async Task Who_holds_again_without_having_left_finds_what_another_holder_has_stored_meanwhile()
    {
        var rig = new DeliveryRig(isHolder: false);
        await HoldAsync(rig, 1);
        rig.Store.Entries.Add("0\nset\nothers");
        await HoldAsync(rig, 3);
        await rig.DrainAsync();
        Assert.Equal(["others"], rig.Broker.Queue.Select(message => message.Body[6..]));
        AssertAddsUp(rig);
    }

    [Fact]
    public async Task Who_holds_again_without_having_left_sends_nothing_newer_before_what_another_holder_has_stored()
    {
        var rig = new DeliveryRig(isHolder: false);
        await HoldAsync(rig, 1);
        rig.Give(1);
        await rig.DrainAsync(); // the broker takes events
        rig.Store.Entries.Add("0\nset\nothers");
        rig.Loop.Hold(3);
        rig.Give(1);
        await rig.DrainAsync();
        Assert.Equal(["k0", "others", "k1"], rig.QueuedKeys);
        AssertAddsUp(rig);
    }

    [Fact]
    public async Task Who_holds_again_waits_for_a_list_that_could_not_be_read_for_long_before()
    {
        var rig = new DeliveryRig(isHolder: false);
        rig.Broker.IsReachable = false;
        await HoldAsync(rig, 1);
        rig.Give(1);
        await rig.AdvanceAsync(2);
        Assert.Single(rig.Store.Entries);
        rig.Store.IsDown = true;
        for (var n = 0; n < 200; n++) await rig.AdvanceAsync(0.1);
        rig.Broker.IsReachable = true;
        for (var n = 0; n < 100; n++) await rig.AdvanceAsync(0.1);
        Assert.Equal(DeliveryState.Live, rig.Loop.State); // it is not waited for

        rig.Store.IsDown = false;
        rig.Store.Entries.Add("0\nset\nothers");
        rig.Loop.Hold(3);
        rig.Give(1);
        await rig.DrainAsync();
        Assert.Equal(["k0", "others", "k1"], rig.QueuedKeys);
    }

    [Fact]
    public async Task Who_holds_again_without_having_left_finds_new_lists_of_another_holder()
    {
        var stores = new FakeStores();
        var rig = new DeliveryRig(stores: stores, isHolder: false);
        await HoldAsync(rig, 1);
        stores.Stores[1].Entries.Add("0\nset\nothers");
        await HoldAsync(rig, 3);
        await rig.DrainAsync();
        Assert.Equal(["others"], rig.QueuedKeys);
    }

    [Fact]
    public async Task Several_lists_are_searched_for_anew_and_a_search_from_before_counts_for_nothing()
    {
        var stores = new FakeStores();
        var rig = new DeliveryRig(stores: stores);
        var until = new TaskCompletionSource();
        stores.Until = until.Task;
        rig.Give(1);
        await rig.RoundsAsync();
        Assert.Equal(1, stores.Searches);
        rig.Loop.HandOver();
        rig.Loop.Hold(2);
        await rig.RoundsAsync();
        Assert.Equal(1, stores.Searches);
        stores.Until = null;
        stores.Stores[1].Entries.Add("0\nset\nold");
        until.SetResult();
        await rig.SettleAsync();
        Assert.Equal((2, 1L, 1L), (stores.Searches, rig.Ledger.Snapshot().Adopted, rig.Ledger.Snapshot().HandedOver));
        await HandOverAsync(rig, 2);
        stores.Stores[2].Entries.Add("0\nset\nnewer");
        await rig.AdvanceAsync(60);
        Assert.Equal(2, stores.Searches);
        await HoldAsync(rig, 3);
        Assert.Equal((3, 3L, 2L), (stores.Searches, rig.Ledger.Snapshot().Adopted, rig.Loop.Stores.Length));
        AssertAddsUp(rig);
    }

    [Fact]
    public async Task The_spool_stays_this_programs_own_and_is_sent_by_a_standby()
    {
        var folder = Directory.CreateTempSubdirectory("keyevt-spool-").FullName;
        try
        {
            using var spool = new LocalSpool(folder);
            var list = new FakeStore();
            var rig = new DeliveryRig(list, new DeliveryOptions { Spool = folder }, stores: Lists.One(list, NamedStore.Of(spool)));
            rig.Broker.IsReachable = false;
            rig.Give(3);
            await rig.AdvanceAsync(2);
            list.IsDown = true;
            rig.Give(4);
            await rig.AdvanceAsync(2);
            await rig.AdvanceAsync(2);
            Assert.Equal((3, 4L), (list.Entries.Count, spool.Status.Entries));
            await HandOverAsync(rig, 3, state: null);
            Assert.Equal(4, rig.Ledger.Snapshot().WaitingFallback);
            (list.IsDown, rig.Broker.IsReachable) = (false, true);
            var steps = list.Steps;
            await rig.DrainAsync();
            Assert.Equal(["k3", "k4", "k5", "k6"], rig.QueuedKeys);
            Assert.Equal((0L, steps, 3), (spool.Status.Entries, list.Steps, list.Entries.Count));
            await HoldAsync(rig, 2);
            await rig.DrainAsync();
            Assert.Equal((3L, 7), (rig.Ledger.Snapshot().Adopted, rig.Broker.Queue.Count));
            AssertAddsUp(rig);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
