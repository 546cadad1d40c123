using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Tests.Feed;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>What becomes of events that no queue takes, before and after the broker has routed something on the link?</summary>
public sealed class RouteTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stored_backlog_is_kept_while_the_broker_is_back_without_its_queue_and_then_sent_in_order(bool storeUnroutable)
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { StoreUnroutable = storeUnroutable });
        rig.Broker.IsReachable = false;
        rig.Give(5000);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        for (var i = 0; i < 20; i++)
        {
            await rig.AdvanceAsync(6);
            Assert.Equal(["k0"], Tried(rig)); // one is enough to find out
            rig.Broker.Current!.ReturnOne(0);
            await rig.SettleAsync();
        }

        Assert.Equal((5000L, 0L), (rig.Ledger.Snapshot().WaitingFallback, rig.Ledger.Snapshot().DroppedTotal));
        Assert.Equal(20, rig.Loop.Returned);
        Assert.Contains("'amq.direct'", rig.Loop.RouteFault, StringComparison.Ordinal);
        Assert.Contains("'redis_keyspace_events'", rig.Loop.RouteFault, StringComparison.Ordinal);
        Assert.Equal(2, rig.Broker.Attempts); // one that failed, and a link that is good
        await rig.DrainAsync();
        Assert.Equal(Enumerable.Range(0, 5000).Select(n => $"k{n}"), rig.QueuedKeys);
        Assert.Null(rig.Loop.RouteFault);
    }

    [Fact]
    public async Task What_came_back_is_not_tried_again_at_once()
    {
        var rig = new DeliveryRig();
        rig.Give(3);
        await rig.SettleAsync();
        for (var i = 0; i < 10; i++)
        {
            rig.Broker.Current!.ReturnOne(0);
            await rig.SettleAsync();
            Assert.Empty(rig.Broker.Current.Unconfirmed);
            await rig.AdvanceAsync(6);
        }

        rig.Broker.Current!.ReturnOne(0);
        await rig.AdvanceAsync(2); // of at least 2.5 s by now
        Assert.Empty(rig.Broker.Current.Unconfirmed);
    }

    [Fact]
    public async Task Live_events_wait_in_memory_and_then_in_the_storage_until_something_is_routed()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { BufferBytes = 100_000 });
        for (var round = 0; round < 50; round++)
        {
            rig.Give(100);
            await rig.AdvanceAsync(1);
            if (rig.Broker.Current!.Unconfirmed.Count > 0) rig.Broker.Current.ReturnOne(0);
        }

        var ledger = rig.Ledger.Snapshot();
        Assert.Equal((0L, 5000L), (ledger.DroppedTotal, ledger.WaitingMemory + ledger.WaitingFallback));
        Assert.True(rig.Loop.Memory.Bytes <= 100_000 && ledger.WaitingFallback > 3000);
        await rig.DrainAsync();
        Assert.Equal(Enumerable.Range(0, 5000).Select(n => $"k{n}"), rig.QueuedKeys);
    }

    [Fact]
    public async Task Without_a_storage_memory_stays_bounded_and_the_oldest_are_dropped_and_counted()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { BufferBytes = 500_000 });
        rig.Config = rig.Config with { FallbackStorageSize = -1, RoutingKey = "{key}" };
        for (var round = 0; round < 100; round++)
        {
            rig.Give(200); // twice as many as are tried
            for (var i = 0; i < 100; i++)
            {
                await rig.AdvanceAsync(0.01);
                if (rig.Broker.Current!.Unconfirmed.Count > 0) rig.Broker.Current.ReturnOne(0);
            }
        }

        var ledger = rig.Ledger.Snapshot();
        Assert.True(rig.Loop.Memory.Bytes <= 500_000, $"{rig.Loop.Memory.Bytes}");
        Assert.Equal((20_000L, 0L), (ledger.WaitingMemory + ledger.Dropped[(int)DropReason.MemoryFull], ledger.Dropped[(int)DropReason.Unroutable]));
    }

    [Fact]
    public async Task Once_something_was_routed_on_the_link_what_comes_back_is_dropped_and_counted()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Give(3);
        await rig.SettleAsync();
        rig.Broker.Current!.ReturnOne(0);
        rig.Broker.Current.ReturnOne(0);
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(2, rig.Ledger.Snapshot().Dropped[(int)DropReason.Unroutable]);
        Assert.Equal(["k2"], rig.QueuedKeys);
    }

    [Fact]
    public async Task What_was_routed_on_another_link_proves_nothing_of_this_one()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Broker.Current!.Break(0);
        rig.Give(2);
        await rig.SettleAsync();
        await rig.AdvanceAsync(11);
        rig.Broker.Current!.ReturnOne(0);
        await rig.SettleAsync();
        Assert.Equal(0, rig.Ledger.Snapshot().DroppedTotal);
        await rig.DrainAsync();
        Assert.Equal(["k0", "k1"], rig.QueuedKeys);
    }

    [Fact]
    public async Task With_a_template_an_event_whose_key_has_a_queue_is_found_behind_others_which_are_then_dropped()
    {
        var rig = new DeliveryRig();
        rig.Config = rig.Config with { RoutingKey = "{key}" };
        rig.Give(20); // only k7 has a queue
        await rig.SettleAsync();
        while (Tried(rig)[0] != "k7")
        {
            rig.Broker.Current!.ReturnOne(0);
            await rig.SettleAsync();
        }

        Assert.Equal(0, rig.Ledger.Snapshot().DroppedTotal);
        rig.Broker.Current!.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(Enumerable.Range(0, 20).Where(n => n != 7).Select(n => $"k{n}"), Tried(rig)); // once more, in order: now the policy applies
        while (rig.Broker.Current.Unconfirmed.Count > 0) rig.Broker.Current.ReturnOne(0);

        await rig.SettleAsync();
        var ledger = rig.Ledger.Snapshot();
        Assert.Equal((1L, 19L), (ledger.Confirmed, ledger.Dropped[(int)DropReason.Unroutable]));
    }

    [Fact]
    public async Task The_same_routing_key_is_tried_once_a_round_and_the_round_ends_at_the_window()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Window = 8 });
        rig.Config = rig.Config with { RoutingKey = "{db}" };
        rig.Give(20);
        await rig.SettleAsync();
        rig.Broker.Current!.ReturnOne(0);
        await rig.SettleAsync();
        Assert.Empty(rig.Broker.Current.Unconfirmed);

        rig.Config = rig.Config with { RoutingKey = "{key}" };
        for (var tried = 0; tried < 8; tried++)
        {
            await rig.AdvanceAsync(tried == 0 ? 6 : 0);
            Assert.Equal([$"k{tried}"], Tried(rig));
            rig.Broker.Current.ReturnOne(0);
        }

        await rig.SettleAsync();
        Assert.Empty(rig.Broker.Current.Unconfirmed);
        await rig.AdvanceAsync(6);
        Assert.Equal(["k0"], Tried(rig));
    }

    [Fact]
    public async Task By_the_policy_store_none_overtakes_an_older_one_whose_key_has_no_queue()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { StoreUnroutable = true });
        rig.Config = rig.Config with { RoutingKey = "{key}" };
        rig.Give(3);
        await rig.SettleAsync();
        rig.Broker.Current!.ReturnOne(0);
        await rig.SettleAsync();
        Assert.Empty(rig.Broker.Current.Unconfirmed);
        await rig.AdvanceAsync(6);
        Assert.Equal(["k0"], Tried(rig));
    }

    [Fact]
    public async Task The_log_says_what_is_missing_with_the_number_that_waits_and_nothing_of_nacks()
    {
        var log = new RecordingLogger();
        var rig = new DeliveryRig(options: new DeliveryOptions { StoreUnroutable = true }, logger: log);
        rig.Broker.IsReachable = false;
        rig.Give(500);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        for (var i = 0; i < 30; i++)
        {
            await rig.AdvanceAsync(6);
            rig.Broker.Current!.ReturnOne(0);
            await rig.SettleAsync();
        }

        var said = log.Lines.Where(line => line.StartsWith("Warning 2119 ", StringComparison.Ordinal)).ToList();
        Assert.InRange(said.Count, 2, 4); // once a minute
        Assert.All(said, line => Assert.Contains("'amq.direct' with routing key 'redis_keyspace_events', and the broker has routed nothing on this connection: 500 events wait", line, StringComparison.Ordinal));
        await rig.DrainAsync();
        Assert.Contains(log.Lines, line => line.StartsWith("Information 2120 ", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains("nack", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.StartsWith("Warning 2105 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_last_word_on_dropped_ones_is_their_sum()
    {
        var log = new RecordingLogger();
        var rig = new DeliveryRig(logger: log);
        await rig.RouteOneAsync();
        for (var i = 0; i < 100; i++)
        {
            rig.Give(10);
            await rig.SettleAsync();
            while (rig.Broker.Current!.Unconfirmed.Count > 0) rig.Broker.Current.ReturnOne(0);

            await rig.AdvanceAsync(0.1);
        }

        await rig.AdvanceAsync(20);
        var said = log.Lines.Where(line => line.StartsWith("Warning 2105 ", StringComparison.Ordinal)).ToList();
        Assert.InRange(said.Count, 2, 3);
        Assert.Contains("came back 1000 times so far (dropped and counted)", said[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_the_end_of_the_program_what_has_no_queue_is_stored_at_once()
    {
        var rig = new DeliveryRig();
        rig.Give(10);
        await rig.SettleAsync();
        rig.Broker.Current!.ReturnOne(0);
        await rig.SettleAsync();
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        await rig.AdvanceAsync(0.2);
        await rig.AdvanceAsync(0.2);
        await stop;
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal((0L, 10), (rig.Loop.LeftBehind, rig.Store.Entries.Count));
    }

    private static string[] Tried(DeliveryRig rig) => [.. rig.Broker.Current!.Unconfirmed.Select(m => m.Body[(m.Body.LastIndexOf('\n') + 1)..])];
}
