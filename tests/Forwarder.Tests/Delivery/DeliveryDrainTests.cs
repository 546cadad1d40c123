using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Tests.Fallback;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>How do stored events leave the fallback storage?</summary>
public sealed class DeliveryDrainTests
{
    [Fact]
    public async Task When_the_broker_is_back_the_oldest_come_first_and_the_list_ends_empty()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Give(10_000);
        await rig.AdvanceAsync(2);
        Assert.Equal(10_000, rig.Store.Entries.Count);

        rig.Broker.IsReachable = true;
        rig.Give(100);
        await rig.DrainAsync();
        Assert.Equal(Enumerable.Range(0, 10_100).Select(i => $"k{i}"), rig.QueuedKeys);
        Assert.Empty(rig.Store.Entries);
        Assert.Equal(0, rig.Ledger.Snapshot().Difference);
    }

    [Fact]
    public async Task Fields_and_the_servers_class_outlive_the_list_and_the_id_stays_what_it_is()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Sink.Received(new EventPosition(0xabc, 1, 1), 0, EventClass.Hash | EventClass.Expired, "hexpired"u8, "k0"u8, "1:a,2:bc"u8, 1000);
        rig.Sink.Received(new EventPosition(0xabc, 1, 2), 0, EventClass.Module, "arset"u8, "k1"u8, default, 1000);
        rig.Sink.Received(new EventPosition(0xabc, 1, 3), 0, EventClass.Hash, "hset"u8, "k2"u8, default, 1000);
        await rig.AdvanceAsync(11);
        Assert.Equal(3, rig.Loop.Stores.Length);
        rig.Broker.IsReachable = true;
        await rig.DrainAsync();

        Assert.Equal(["0000000000000abc-1-1", "0000000000000abc-1-2", "0000000000000abc-1-3"], rig.Broker.Queue.Select(message => message.Id));
        Assert.Equal(["0\nhexpired\nk0", "0\narset\nk1", "0\nhset\nk2"], rig.Broker.Queue.Select(message => message.Body));
        Assert.Equal(["1:a,2:bc", "", ""], rig.Broker.Fields);
        Assert.Equal([EventClass.Expired, EventClass.Module, EventClass.None], rig.Broker.Classes);
    }

    [Fact]
    public async Task An_entry_stays_in_the_list_until_its_confirm()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Give(5);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(11);
        rig.Broker.Current!.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(4, rig.Broker.Current!.Unconfirmed.Count);
        Assert.Equal(5, rig.Store.Entries.Count);

        rig.Broker.Current.ConfirmUpTo(4);
        await rig.SettleAsync();
        Assert.Empty(rig.Store.Entries);
        Assert.Equal(DeliveryState.Live, rig.Loop.State);
    }

    [Fact]
    public async Task Plain_entries_that_the_module_left_are_sent_without_a_first_event()
    {
        var store = new FakeStore();
        store.Entries.AddRange(["0\nexpired\na", "0\nexpired\nb"]);
        var rig = new DeliveryRig(store);
        await rig.DrainAsync();
        Assert.Equal(["a", "b"], rig.QueuedKeys);
        Assert.Equal((2L, 2L), (rig.Ledger.Snapshot().Adopted, rig.Ledger.Snapshot().Confirmed));
    }

    [Fact]
    public async Task With_a_single_list_what_was_found_and_what_was_stored_behind_it_are_read_in_one_step()
    {
        var store = new FakeStore();
        store.Entries.AddRange(["0\nexpired\na", "0\nexpired\nb"]);
        var rig = new DeliveryRig(store);
        rig.Broker.IsReachable = false;
        rig.Give(3);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        await rig.DrainAsync();
        Assert.Equal(["a", "b", "k0", "k1", "k2"], rig.QueuedKeys);
        Assert.Equal(1, store.Reads);
    }

    [Fact]
    public async Task Plain_entries_keep_one_id_each_over_retries_and_no_other_run_gives_it()
    {
        static async Task<string> OldestAsync(DeliveryRig rig)
        {
            await rig.SettleAsync();
            await rig.AdvanceAsync(9);
            return rig.Broker.Current!.Unconfirmed[0].Id;
        }

        var store = new FakeStore();
        store.Entries.AddRange(["0\nexpired\na", "0\nexpired\na", "0\nexpired\na"]);
        var rig = new DeliveryRig(store);
        var first = await OldestAsync(rig);
        rig.Broker.Current!.ConfirmOne(0);
        await rig.SettleAsync();
        string[] others = [.. rig.Broker.Current.Unconfirmed.Select(m => m.Id)];
        Assert.Equal(3, others.Append(first).Distinct().Count());

        rig.Broker.Current.Break(0);
        Assert.Equal(others[0], await OldestAsync(rig));
        Assert.False(rig.Broker.Current!.IsClosed);
        rig.Broker.Current!.ReturnOne(0);
        Assert.Equal(others[0], await OldestAsync(rig));
        rig.Broker.Current!.RefuseOne(0);
        Assert.Equal(others[0], await OldestAsync(rig));
        rig.Broker.Current!.ConfirmOne(0);
        Assert.Equal(others[1], await OldestAsync(rig));
        Assert.DoesNotContain(await OldestAsync(new DeliveryRig(store)), others.Append(first));
    }

    [Fact]
    public async Task A_storage_that_is_full_is_emptied_and_what_it_refused_follows_in_order()
    {
        var store = new FakeStore { Capacity = 5 };
        var rig = new DeliveryRig(store, new DeliveryOptions { StoreBatch = 5 });
        rig.Broker.IsReachable = false;
        rig.Give(5);
        await rig.AdvanceAsync(2);
        rig.Give(7);
        await rig.AdvanceAsync(2);
        Assert.Equal((5, 7), (store.Entries.Count, rig.Loop.Memory.Count));

        rig.Broker.IsReachable = true;
        await rig.DrainAsync();
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"k{i}"), rig.QueuedKeys);
        Assert.Equal(0, rig.Ledger.Snapshot().Difference);
    }

    [Fact]
    public async Task A_storage_that_has_been_full_for_long_is_read_before_anything_newer_is_sent()
    {
        var store = new FakeStore { Capacity = 5 };
        var rig = new DeliveryRig(store, new DeliveryOptions { StoreBatch = 5 });
        rig.Broker.IsReachable = false;
        rig.Give(5);
        await rig.AdvanceAsync(2);
        rig.Give(7);
        for (var i = 0; i < 20; i++) await rig.AdvanceAsync(5);

        Assert.True(rig.Loop.Stores.Refusals > 10);
        rig.Broker.IsReachable = true;
        await rig.DrainAsync();
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"k{i}"), rig.QueuedKeys);
    }

    [Fact]
    public async Task When_the_last_event_of_a_list_that_has_gone_is_confirmed_what_waits_in_memory_follows_at_once()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { StoreBatch = 2, ReadAhead = 1 });
        rig.Broker.IsReachable = false;
        rig.Give(3);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(11);
        rig.Store.Entries.Clear(); // two of its events have been read, and the third one is lost
        rig.Broker.Current!.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal((DeliveryState.Draining, 0L), (rig.Loop.State, rig.Loop.Stores.Length));

        rig.Give(1);
        rig.Broker.Current!.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(DeliveryState.Live, rig.Loop.State);
        Assert.Equal(["0\nset\nk3"], rig.Broker.Current!.Unconfirmed.Select(message => message.Body));
    }

    [Fact]
    public async Task What_is_in_a_list_that_is_on_another_node_since_a_failover_is_sent_though_nothing_was_stored_since()
    {
        var (store, place) = (new FakeStore(), "one");
        var rig = new DeliveryRig(store, stores: Lists.One(store, place: () => place));
        await rig.RouteOneAsync();
        await rig.AdvanceAsync(1);
        store.Entries.AddRange(["k0", "k1"]); // the replica did not hear in time that they were sent
        foreach (var next in new[] { NamedStore.Nowhere, "one" })
        {
            place = next;
            await rig.AdvanceAsync(1);
            Assert.Equal((1, DeliveryState.Live), (store.Counts, rig.Loop.State));
        }

        place = "other";
        await rig.AdvanceAsync(1);
        Assert.Equal(2, store.Counts);
        await rig.DrainAsync();
        Assert.Empty(store.Entries);
        Assert.Equal(["k0", "k1"], rig.QueuedKeys);
    }
}
