using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Tests.Feed;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>When do events go to the fallback storage, and which of them are dropped?</summary>
public sealed class DeliveryStoreTests
{
    [Fact]
    public async Task Until_it_is_known_what_an_earlier_run_left_nothing_is_sent_and_the_loop_rests()
    {
        var counted = new TaskCompletionSource();
        var rig = new DeliveryRig(new FakeStore { Until = counted.Task });
        rig.Give(1);
        await rig.RoundsAsync();
        await rig.Loop.Links.Connecting;
        await rig.RoundsAsync();
        Assert.False(await rig.Loop.StepAsync());
        Assert.Empty(rig.Broker.Current!.Unconfirmed);

        counted.SetResult();
        await rig.SettleAsync();
        Assert.Single(rig.Broker.Current!.Unconfirmed);
    }

    [Fact]
    public async Task Events_dropped_at_the_cap_of_the_storage_are_said_with_their_sum_and_not_each_time()
    {
        var log = new RecordingLogger();
        var rig = new DeliveryRig(logger: log);
        rig.Config = rig.Config with { FallbackStorageSize = 10 };
        rig.Broker.IsReachable = false;
        for (var i = 0; i < 60; i++)
        {
            rig.Give(10);
            await rig.AdvanceAsync(0.2);
        }

        await rig.AdvanceAsync(20);
        var said = log.Lines.Where(line => line.StartsWith("Warning 2110 ", StringComparison.Ordinal)).ToList();
        Assert.InRange(said.Count, 2, 3);
        Assert.Contains(" 590 events dropped so far", said[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_that_fills_while_confirms_are_missing_goes_to_the_storage_and_nothing_is_dropped()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Window = 8, BufferBytes = 100_000 });
        for (var round = 0; round < 50; round++)
        {
            rig.Give(100);
            await rig.SettleAsync();
        }

        Assert.InRange(rig.Store.Entries.Count, 3000, 5000);
        // The connection is kept.
        Assert.Equal(1, rig.Broker.Attempts);
        await rig.DrainAsync();
        Assert.Equal(5000, rig.Ledger.Snapshot().Confirmed);
        Assert.Equal(Enumerable.Range(0, 5000).Select(n => $"k{n}"), rig.QueuedKeys.Distinct());
    }

    [Fact]
    public async Task Memory_that_is_not_yet_full_to_three_quarters_waits_for_confirms_and_nothing_is_sent_twice()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { BufferBytes = 100_000 });
        await rig.RouteOneAsync();
        rig.Give(10);
        await rig.SettleAsync();
        while (rig.Loop.Memory.Bytes < 70_000) rig.Give(1);

        await rig.SettleAsync();
        Assert.Equal((DeliveryState.Live, 10, 0), (rig.Loop.State, rig.Loop.UnconfirmedCount, rig.Store.Entries.Count));
        rig.Broker.Current!.ConfirmUpTo(10);
        await rig.DrainAsync();
        Assert.Equal(Enumerable.Range(0, rig.Given).Select(i => $"k{i}"), rig.QueuedKeys);
    }

    [Fact]
    public async Task While_stored_events_are_sent_new_ones_are_stored_once_a_quarter_of_memory_is_used()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { BufferBytes = 100_000 });
        rig.Broker.IsReachable = false;
        rig.Give(3);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(9);
        Assert.Equal(DeliveryState.Draining, rig.Loop.State);
        while (rig.Loop.Memory.Bytes < 24_800) rig.Give(1);

        await rig.SettleAsync();
        Assert.Equal(3, rig.Store.Entries.Count);
        while (rig.Loop.Memory.Bytes <= 25_000) rig.Give(1);

        await rig.SettleAsync();
        Assert.True(rig.Store.Entries.Count > 3);
    }

    [Fact]
    public async Task What_was_refused_is_sent_after_older_events_that_are_found_in_a_storage_that_is_there_again()
    {
        var store = new FakeStore { IsDown = true };
        store.Entries.Add("0\nset\nold");
        var rig = new DeliveryRig(store);
        rig.GiveOf(0xfff, 1, "first");
        for (var n = 0; n < 8; n++) await rig.AdvanceAsync(5); // for so long a storage that does not answer is waited for
        rig.Broker.Current!.ConfirmUpTo(1);
        await rig.SettleAsync();
        rig.Broker.Queue.Clear();
        rig.Give(2);
        await rig.SettleAsync();
        rig.Broker.Current!.RefuseOne(0);
        store.IsDown = false;
        await rig.AdvanceAsync(6);
        rig.Broker.Current.ConfirmOne(0);
        await rig.DrainAsync();
        Assert.Equal(["k1", "old", "k0"], rig.QueuedKeys);
    }

    [Fact]
    public async Task Where_the_storage_refuses_memory_that_fills_goes_on_being_published()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Window = 8, BufferBytes = 100_000 });
        rig.Give(1);
        await rig.SettleAsync();
        rig.Store.IsDown = true;
        for (var round = 0; round < 80; round++)
        {
            rig.Give(10);
            await rig.AdvanceAsync(0.01);
            rig.Broker.Current!.ConfirmUpTo(rig.Broker.Current.Unconfirmed.Count);
        }

        await rig.DrainAsync();
        Assert.Equal(801, rig.Ledger.Snapshot().Confirmed);
        Assert.Equal(Enumerable.Range(0, 801).Select(n => $"k{n}"), rig.QueuedKeys.Distinct());
    }

    [Fact]
    public async Task What_was_unconfirmed_goes_to_the_storage_first_and_in_order()
    {
        var rig = new DeliveryRig();
        rig.Give(3);
        await rig.SettleAsync();
        rig.Broker.IsReachable = false;
        rig.Broker.Current!.ConfirmOne(0);
        rig.Broker.Current.Break(0);
        rig.Give(2);
        await rig.SettleAsync();
        Assert.Equal(DeliveryState.Storing, rig.Loop.State);
        Assert.Equal(["k1", "k2", "k3", "k4"], rig.Store.Entries.Select(e => e[(e.LastIndexOf('\n') + 1)..]));
    }

    [Fact]
    public async Task While_the_broker_is_blocked_events_are_stored_and_the_link_is_kept()
    {
        var rig = new DeliveryRig();
        rig.Give(1);
        await rig.SettleAsync();
        var link = rig.Broker.Current!;
        link.ConfirmUpTo(1);
        link.Block(true);
        rig.Give(3);
        await rig.SettleAsync();
        Assert.Equal((DeliveryState.Storing, 3), (rig.Loop.State, rig.Store.Entries.Count));
        Assert.False(link.IsClosed);

        link.Block(false);
        await rig.DrainAsync();
        Assert.Equal(["k0", "k1", "k2", "k3"], rig.QueuedKeys);
        Assert.Same(link, rig.Broker.Current);
    }

    [Fact]
    public async Task Without_fallback_events_wait_in_memory_up_to_the_bound_and_the_oldest_go()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { BufferBytes = 10_000 });
        rig.Config = rig.Config with { FallbackStorageSize = -1 };
        rig.Broker.IsReachable = false;
        rig.Give(1000);
        await rig.AdvanceAsync(5);
        Assert.Empty(rig.Store.Entries);
        Assert.True(rig.Loop.Memory.Bytes <= 10_000);
        var ledger = rig.Ledger.Snapshot();
        Assert.Equal(1000, ledger.Dropped[(int)DropReason.MemoryFull] + ledger.WaitingMemory);

        rig.Broker.IsReachable = true;
        await rig.DrainAsync();
        Assert.Equal("k999", rig.QueuedKeys.Last());
    }

    [Fact]
    public async Task A_lost_list_is_noticed_and_counted()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Give(10);
        await rig.AdvanceAsync(2);
        rig.Store.Entries.Clear();
        rig.Give(1);
        await rig.AdvanceAsync(2);
        Assert.Equal(10, rig.Ledger.Snapshot().Dropped[(int)DropReason.FallbackLost]);
        rig.Broker.IsReachable = true;
        await rig.DrainAsync();
        Assert.Equal(["k10"], rig.QueuedKeys);
    }

    [Fact]
    public async Task While_nothing_is_stored_or_read_the_list_is_counted_every_second()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Give(1);
        await rig.SettleAsync();
        var counts = rig.Store.Counts;
        for (var second = 1; second <= 3; second++)
        {
            await rig.AdvanceAsync(0.9);
            Assert.Equal(counts + second - 1, rig.Store.Counts);
            await rig.AdvanceAsync(0.1);
            Assert.Equal(counts + second, rig.Store.Counts);
        }
    }

    [Fact]
    public async Task An_empty_list_is_not_counted_again_and_again()
    {
        var rig = new DeliveryRig();
        rig.Config = rig.Config with { FallbackStorageSize = -1 }; // nothing is stored, so there is time to count
        rig.Broker.IsReachable = false;
        rig.Give(1);
        await rig.AdvanceAsync(2);
        Assert.Equal((DeliveryState.Storing, 1), (rig.Loop.State, rig.Store.Counts));
        for (var second = 0; second < 5; second++) await rig.AdvanceAsync(1);

        Assert.Equal(1, rig.Store.Counts);
    }

    [Fact]
    public async Task The_cap_drops_the_oldest_and_counts_them()
    {
        var rig = new DeliveryRig();
        rig.Config = rig.Config with { FallbackStorageSize = 4 };
        rig.Broker.IsReachable = false;
        rig.Give(10);
        await rig.AdvanceAsync(2);
        Assert.Equal(["k6", "k7", "k8", "k9"], rig.Store.Entries.Select(e => e[(e.LastIndexOf('\n') + 1)..]));
        Assert.Equal(6, rig.Ledger.Snapshot().Dropped[(int)DropReason.FallbackCap]);
    }

    [Fact]
    public async Task With_the_cap_0_events_are_stored_without_limit()
    {
        var rig = new DeliveryRig();
        rig.Config = rig.Config with { FallbackStorageSize = 0 };
        rig.Broker.IsReachable = false;
        rig.Give(3000);
        await rig.AdvanceAsync(2);
        Assert.Equal((3000, true), (rig.Store.Entries.Count, rig.Loop.Memory.IsEmpty));
    }

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 0)]
    public async Task With_the_list_switched_off_events_are_stored_only_where_there_is_a_spool(bool hasSpool, int stored)
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Spool = hasSpool ? "somewhere" : null });
        rig.Config = rig.Config with { FallbackStorageSize = -1 };
        rig.Broker.IsReachable = false;
        rig.Give(3);
        await rig.AdvanceAsync(2);
        Assert.Equal(stored, rig.Store.Entries.Count);
    }

    [Fact]
    public void The_states_own_notifications_are_nobodys_events_and_those_of_the_fallback_storage_are_filtered()
    {
        var rig = new DeliveryRig();
        rig.GiveOf(1, 1, FallbackKey.StateOf("g"));
        rig.GiveOf(1, 2, FallbackKey.StateOf("host") + "{12}");
        Assert.Equal((0L, 0L), (rig.Ledger.Snapshot().Received, rig.Ledger.Snapshot().Filtered));
        rig.GiveOf(1, 3, FallbackKey.Name);
        Assert.Equal((1L, 1L), (rig.Ledger.Snapshot().Received, rig.Ledger.Snapshot().Filtered));
        Assert.True(rig.Loop.Memory.IsEmpty);
    }

    [Fact]
    public async Task What_has_arrived_of_a_batch_that_was_given_up_does_not_stay_in_the_list()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        await rig.AdvanceAsync(1);
        for (var n = 0; n < 100; n++) rig.Store.Failures.Enqueue(true);
        rig.Give(3);
        await rig.SettleAsync();
        Assert.Equal((3, true), (rig.Store.Entries.Count, rig.Loop.Stores.HasAppendPending)); // stored, and the answer got lost
        rig.Broker.IsReachable = true;
        for (var n = 0; n < 100 && rig.Loop.State != DeliveryState.Live; n++) await rig.AdvanceAsync(0.1);
        rig.Store.Failures.Clear();
        for (var n = 0; n < 20; n++)
        {
            rig.Broker.Current!.ConfirmUpTo(rig.Broker.Current.Unconfirmed.Count);
            await rig.AdvanceAsync(0.1);
        }

        Assert.Empty(rig.Store.Entries);
        Assert.Equal(["k0", "k1", "k2"], rig.QueuedKeys.Distinct());
    }
}
