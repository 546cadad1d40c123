using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>With several stores: where does an event go, and what waits for what when they are drained?</summary>
public sealed class StoreSetTests
{
    private readonly FakeStores _stores = new();
    private readonly DeliveryRig _rig;

    public StoreSetTests()
    {
        _rig = new DeliveryRig(stores: _stores, options: new DeliveryOptions { StoreBatch = 16 });
        _rig.Broker.IsReachable = false;
    }

    [Fact]
    public async Task Events_go_to_the_store_of_their_node_and_each_is_drained_in_order()
    {
        for (var n = 1; n <= 30; n++) _rig.GiveOf((ulong)(n % 3), n, $"k{n}");
        await _rig.AdvanceAsync(1);
        Assert.All(_stores.Stores, store => Assert.Equal(10, store.Entries.Count));
        Assert.Equal(30, _rig.Loop.Stores.Length);

        await DrainAsync();
        Assert.Equal(30, _rig.Broker.Queue.Count);
        foreach (var node in _rig.Broker.Queue.GroupBy(message => message.Id[..16]))
        {
            Assert.Equal(node.OrderBy(message => int.Parse(message.Body[7..], System.Globalization.CultureInfo.InvariantCulture)), node);
        }
    }

    [Fact]
    public async Task What_a_slot_brings_to_another_node_waits_for_what_it_had_before()
    {
        for (var n = 1; n <= 100; n++) _rig.GiveOf(0, n, "k");
        _rig.GiveOf(1, 1, "k"); // the slot has moved
        await _rig.AdvanceAsync(1);
        await DrainAsync();
        Assert.Equal("0000000000000001-1-1", _rig.Broker.Queue[^1].Id);
    }

    [Fact]
    public async Task Events_of_one_key_are_sent_in_order_whatever_their_names_are()
    {
        for (var n = 1; n <= 100; n++) _rig.GiveOf(0, n, "k", "set");
        _rig.GiveOf(1, 1, "k", "expired"); // the slot has moved
        await _rig.AdvanceAsync(1);
        await DrainAsync();
        Assert.Equal("0000000000000001-1-1", _rig.Broker.Queue[^1].Id);
    }

    [Fact]
    public async Task A_node_whose_list_has_gone_with_its_slot_has_its_events_in_order()
    {
        for (var n = 1; n <= 100; n++) _rig.GiveOf(0, n, $"a{n}");
        await _rig.AdvanceAsync(1);
        _stores.HomeOf[0] = 2;
        _rig.GiveOf(0, 101, "b");
        await _rig.AdvanceAsync(1);
        Assert.Single(_stores.Stores[2].Entries);
        await DrainAsync();
        Assert.Equal("0000000000000000-1-101", _rig.Broker.Queue[^1].Id);
    }

    [Fact]
    public async Task What_a_store_refuses_goes_to_another_one_and_out_after_what_it_had_taken()
    {
        for (var n = 1; n <= 100; n++) _rig.GiveOf(1, n, $"a{n}");
        await _rig.AdvanceAsync(1);
        _stores.Stores[1].Capacity = 0;
        _rig.GiveOf(1, 101, "b");
        _rig.GiveOf(0, 1, "c");
        await _rig.AdvanceAsync(1);
        Assert.Equal(2, _stores.Stores[0].Entries.Count);
        Assert.Equal(0, _rig.Ledger.Snapshot().WaitingMemory);

        await DrainAsync();
        Assert.Equal("0000000000000001-1-101", _rig.Broker.Queue.Last(message => message.Id.StartsWith("0000000000000001", StringComparison.Ordinal)).Id);
    }

    [Fact]
    public async Task A_store_that_was_busy_with_events_that_the_broker_then_took_gets_none_for_5_s()
    {
        _stores.Stores[1].Failures.Enqueue(true); // it has taken the first one, and does not say so
        _stores.Stores[1].Failures.Enqueue(true);
        _rig.GiveOf(1, 1, "a");
        await _rig.SettleAsync();
        _rig.Broker.IsReachable = true;
        await _rig.AdvanceAsync(0.1);
        for (var round = 0; round < 5; round++)
        {
            ConfirmAll();
            await _rig.SettleAsync();
        }

        Assert.Equal((DeliveryState.Live, 0), (_rig.Loop.State, _stores.Stores[1].Entries.Count));
        _rig.Broker.IsReachable = false;
        _rig.Broker.Current!.Break(0);
        _rig.GiveOf(1, 2, "b");
        await _rig.SettleAsync();
        Assert.Equal((1, 0), (_stores.Stores[0].Entries.Count, _stores.Stores[1].Entries.Count));
        await _rig.AdvanceAsync(5);
        _rig.GiveOf(1, 3, "c");
        await _rig.SettleAsync();
        Assert.Equal((1, 1), (_stores.Stores[0].Entries.Count, _stores.Stores[1].Entries.Count));
    }

    [Fact]
    public async Task A_store_that_does_not_answer_holds_the_others_up_for_a_while_only()
    {
        _rig.GiveOf(0, 1, "a");
        _rig.GiveOf(1, 1, "b");
        await _rig.AdvanceAsync(1);
        _stores.Stores[1].IsDown = true;
        _rig.Broker.IsReachable = true;
        for (var second = 0; second < 60 && _rig.Loop.State != DeliveryState.Live; second++)
        {
            await _rig.AdvanceAsync(1);
            ConfirmAll();
        }

        Assert.Equal(DeliveryState.Live, _rig.Loop.State);
        Assert.Equal(1, _rig.Ledger.Snapshot().WaitingFallback);
        _stores.Stores[1].IsDown = false;
        await DrainAsync();
        Assert.Equal(["a", "b"], _rig.Broker.Queue.Select(message => message.Body[6..]));
    }

    [Fact]
    public async Task The_cap_is_that_of_all_stores_and_the_longest_makes_room()
    {
        _rig.Config = _rig.Config with { FallbackStorageSize = 20 };
        for (var n = 1; n <= 15; n++) _rig.GiveOf(0, n, $"a{n}");
        for (var n = 1; n <= 5; n++) _rig.GiveOf(1, n, $"b{n}");
        await _rig.AdvanceAsync(1);
        Assert.Equal((15, 5, 0L), (_stores.Stores[0].Entries.Count, _stores.Stores[1].Entries.Count, _rig.Ledger.Dropped(DropReason.FallbackCap)));

        for (var n = 16; n <= 30; n++) _rig.GiveOf(0, n, $"a{n}");
        await _rig.AdvanceAsync(1);
        Assert.Equal((15, 5), (_stores.Stores[0].Entries.Count, _stores.Stores[1].Entries.Count));
        Assert.Equal(15, _rig.Ledger.Dropped(DropReason.FallbackCap));
    }

    [Fact]
    public async Task What_one_store_is_about_to_drop_is_not_dropped_by_another_as_well()
    {
        _rig.Config = _rig.Config with { FallbackStorageSize = 20 };
        Give(0, 1, 8);
        Give(1, 1, 8);
        await _rig.AdvanceAsync(0.1);
        foreach (var failure in (bool?[])[null, false, false, false])
        {
            _stores.Stores[0].Failures.Enqueue(failure); // the append succeeds, making room does not for a while
        }

        _stores.Stores[1].Failures.Enqueue(true); // the answer is late: by then it is the longest one
        Give(0, 9, 15);
        Give(1, 9, 17);
        for (var i = 0; i < 100; i++) await _rig.AdvanceAsync(0.1);
        Assert.Equal(20, _stores.Stores.Sum(store => store.Entries.Count));
        Assert.Equal(12, _rig.Ledger.Dropped(DropReason.FallbackCap));

        void Give(ulong node, int first, int last)
        {
            for (var n = first; n <= last; n++) _rig.GiveOf(node, n, $"{node}-{n}");
        }
    }

    [Fact]
    public async Task A_list_of_one_entry_is_left_alone_while_another_one_cannot_make_room()
    {
        _rig.Config = _rig.Config with { FallbackStorageSize = 1 };
        foreach (var failure in (bool?[])[null, false, false, false]) _stores.Stores[1].Failures.Enqueue(failure);
        _rig.GiveOf(0, 1, "a");
        for (var n = 1; n <= 5; n++) _rig.GiveOf(1, n, $"b{n}");
        await _rig.AdvanceAsync(0.1); // comes to rest
        for (var i = 0; i < 100; i++) await _rig.AdvanceAsync(0.1);
        Assert.Equal((1, 1), (_stores.Stores[0].Entries.Count, _stores.Stores[1].Entries.Count));
    }

    [Fact]
    public async Task What_earlier_runs_left_is_sent_before_anything_newer()
    {
        _stores.Stores[2].Entries.AddRange(["0\nset\nold1", "0\nset\nold2"]);
        _rig.GiveOf(0, 1, "new");
        await DrainAsync();
        Assert.Equal(["old1", "old2", "new"], _rig.Broker.Queue.Select(message => message.Body[6..]));
        Assert.Equal(2, _rig.Ledger.Snapshot().Adopted);
    }

    [Fact]
    public async Task A_search_that_fails_is_tried_again_and_nothing_newer_is_sent_before_what_it_finds()
    {
        _stores.Faults.Enqueue("nobody answers");
        _stores.Stores[2].Entries.Add("0\nset\nold");
        _rig.Broker.IsReachable = true;
        _rig.GiveOf(0, 1, "new");
        await _rig.SettleAsync();
        Assert.Equal("nobody answers", _rig.Loop.Stores.LastRefusal);
        await DrainAsync();
        Assert.Null(_rig.Loop.Stores.LastRefusal);
        Assert.Equal(["old", "new"], _rig.QueuedKeys);
    }

    [Theory]
    [InlineData(28, 0)]
    [InlineData(36, 1)]
    public async Task A_search_that_fails_for_long_holds_nothing_up(int seconds, int sent)
    {
        for (var n = 0; n < 1000; n++) _stores.Faults.Enqueue("nobody answers");
        _rig.Broker.IsReachable = true;
        _rig.GiveOf(0, 1, "new");
        for (var n = 0; n < seconds * 10; n++) await _rig.AdvanceAsync(0.1);
        Assert.Equal(sent, _rig.Broker.Current?.Unconfirmed.Count ?? 0);
        _stores.Stores[2].Entries.Add("0\nset\nold");
        _stores.Faults.Clear();
        await DrainAsync();
        Assert.Equal(2, _rig.Broker.Queue.Count);
    }

    [Theory]
    [InlineData(28, 0)]
    [InlineData(36, 1)]
    public async Task What_a_list_does_not_answer_goes_to_another_one_only_after_a_while(int seconds, int elsewhere)
    {
        await FailAsync(seconds);
        Assert.Equal((elsewhere, 1), (_stores.Stores[0].Entries.Count, _stores.Stores[1].Entries.Count));
    }

    [Fact]
    public async Task What_a_list_does_not_answer_goes_to_another_one_soon_if_the_program_ends()
    {
        await FailAsync(1);
        Assert.Empty(_stores.Stores[0].Entries);
        var stop = _rig.Loop.StopAsync(TimeSpan.FromSeconds(10), Task.CompletedTask);
        await FailAsync(1);
        await stop;
        Assert.Single(_stores.Stores[0].Entries);
    }

    [Fact]
    public async Task While_a_search_fails_memory_does_not_run_over()
    {
        var stores = new FakeStores();
        for (var n = 0; n < 1000; n++) stores.Faults.Enqueue("nobody answers");
        var rig = new DeliveryRig(stores: stores, options: new DeliveryOptions { BufferBytes = 2000 });
        for (var n = 1; n <= 15; n++) rig.GiveOf(0, n, $"k{n}");
        await rig.AdvanceAsync(1);
        Assert.NotEmpty(rig.Broker.Current!.Unconfirmed);
        Assert.Equal(0, rig.Ledger.Snapshot().DroppedTotal);
    }

    [Fact]
    public async Task The_next_holder_sends_what_a_store_had_not_taken_in_its_place()
    {
        Give(1, 20);
        await _rig.AdvanceAsync(1);
        _stores.Stores[1].Capacity = 20;
        Give(21, 40);
        await _rig.AdvanceAsync(1);
        _stores.Stores[1].Capacity = int.MaxValue;
        await _rig.AdvanceAsync(6);
        Give(41, 60);
        await _rig.AdvanceAsync(1);
        Assert.Equal([20, 40, 0], _stores.Stores.Select(store => store.Entries.Count));

        _rig.Loop.HandOver();
        _rig.Loop.Hold(1000);
        await DrainAsync();
        Assert.Equal(Enumerable.Range(1, 60).Select(n => $"k{n}"), _rig.QueuedKeys);

        void Give(int first, int last)
        {
            for (var n = first; n <= last; n++) _rig.GiveOf(1, n, $"k{n}");
        }
    }

    /// <summary>Events of a node wait for its list, whose answers get lost.</summary>
    private async Task FailAsync(int seconds)
    {
        if (_rig.Loop.Memory.IsEmpty) _rig.GiveOf(1, 1, "a");
        for (var n = 0; n < 1000; n++) _stores.Stores[1].Failures.Enqueue(true);
        for (var n = 0; n < seconds * 10; n++) await _rig.AdvanceAsync(0.1);
    }

    private async Task DrainAsync()
    {
        _rig.Broker.IsReachable = true;
        await _rig.DrainAsync();
        Assert.Equal(0, _rig.Ledger.Snapshot().Difference);
        Assert.Equal(0, _rig.Ledger.Snapshot().WaitingFallback);
    }

    private void ConfirmAll() => _rig.Broker.Current?.ConfirmUpTo(_rig.Broker.Current.Unconfirmed.Count);
}
