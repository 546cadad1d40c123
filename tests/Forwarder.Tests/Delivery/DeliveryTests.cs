using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Which way do events go in each state of the broker and of the fallback storage?</summary>
public sealed class DeliveryTests
{
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
    public async Task A_broker_that_is_away_is_said_at_once_and_then_at_times_with_the_number_of_failures_and_another_reason_at_once()
    {
        var log = new RecordingLogger();
        var rig = new DeliveryRig(logger: log);
        rig.Broker.IsReachable = false;
        rig.Give(1);
        for (var i = 0; i < 99; i++)
            await rig.AdvanceAsync(0.1);

        Assert.True(rig.Broker.Attempts > 4);
        List<string> Said() => [.. log.Lines.Where(line => line.StartsWith("Warning 2101 ", StringComparison.Ordinal))];
        Assert.Contains("(1 failures so far)", Assert.Single(Said()), StringComparison.Ordinal);
        await rig.AdvanceAsync(20);
        Assert.Contains($"({rig.Broker.Attempts} failures so far)", Said()[1], StringComparison.Ordinal);

        rig.Broker.Reason = "another reason";
        await rig.AdvanceAsync(11);
        Assert.Contains("another reason", Said()[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_connected_before_the_first_event()
    {
        var rig = new DeliveryRig();
        await rig.AdvanceAsync(60);
        Assert.Equal(0, rig.Broker.Attempts);

        rig.Give(1);
        await rig.SettleAsync();
        Assert.Equal(1, rig.Broker.Attempts);
        Assert.Single(rig.Broker.Current!.Unconfirmed);
    }

    [Fact]
    public async Task A_message_carries_the_contracts_body_and_id()
    {
        var rig = new DeliveryRig();
        rig.Give(1);
        await rig.SettleAsync();
        Assert.Equal((1UL, "0000000000000abc-1-1", "0\nset\nk0", "redis_keyspace_events"), rig.Broker.Current!.Unconfirmed[0]);
    }

    [Fact]
    public async Task An_event_waits_until_it_is_confirmed()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Give(3);
        await rig.SettleAsync();
        Assert.Equal(3, rig.Ledger.Snapshot().WaitingMemory);

        rig.Broker.Current!.ConfirmUpTo(2);
        await rig.SettleAsync();
        Assert.Equal((3L, 1L), (rig.Ledger.Snapshot().Confirmed, rig.Ledger.Snapshot().WaitingMemory));
    }

    [Fact]
    public async Task No_more_than_the_window_is_unconfirmed()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Window = 8 });
        await rig.RouteOneAsync();
        rig.Give(100);
        await rig.SettleAsync();
        Assert.Equal(8, rig.Broker.Current!.Unconfirmed.Count);

        rig.Broker.Current.ConfirmOne(5);
        await rig.SettleAsync();
        Assert.Equal(8, rig.Broker.Current.Unconfirmed.Count);
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
        Assert.Equal(1, rig.Broker.Attempts); // the link stays
        await rig.DrainAsync();
        Assert.Equal(5000, rig.Ledger.Snapshot().Confirmed);
        Assert.Equal(Enumerable.Range(0, 5000).Select(n => $"k{n}"), rig.QueuedKeys.Distinct());
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
    public async Task Plain_entries_keep_one_id_each_over_retries_and_no_other_run_gives_it()
    {
        async Task<string> OldestAsync(DeliveryRig rig)
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
    public async Task A_missing_confirm_abandons_the_link_and_the_event_keeps_its_id()
    {
        var rig = new DeliveryRig();
        rig.Give(1);
        await rig.SettleAsync();
        var first = rig.Broker.Current!;
        await rig.AdvanceAsync(10.5);
        await rig.AdvanceAsync(11);
        Assert.True(first.IsClosed);
        Assert.NotSame(first, rig.Broker.Current);
        Assert.Equal(first.Unconfirmed[0].Id, rig.Broker.Current!.Unconfirmed[0].Id);
    }

    [Fact]
    public async Task The_last_words_of_an_old_link_confirm_nothing_of_the_new_one()
    {
        var rig = new DeliveryRig();
        rig.Give(1);
        await rig.SettleAsync();
        var old = rig.Broker.Current!;
        old.Break(0);
        await rig.AdvanceAsync(11);
        rig.Broker.Queue.Clear();
        old.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(0, rig.Ledger.Snapshot().Confirmed);
    }

    [Fact]
    public async Task A_hanging_publish_ends_with_its_deadline()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Give(1);
        await rig.SettleAsync();
        rig.Broker.Current!.Hangs = true;
        rig.Give(1);
        await rig.SettleAsync();
        rig.Give(1);
        await rig.SettleAsync();
        Assert.Equal(2, rig.Broker.Current.Unconfirmed.Count); // nothing overtakes the one that hangs
        rig.Broker.IsReachable = false;
        await rig.AdvanceAsync(rig.Options.PublishDeadline.TotalSeconds);
        Assert.True(rig.Broker.Current.IsClosed);
        Assert.Equal(3, rig.Store.Entries.Count);
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
    public async Task A_refused_event_is_tried_again_before_anything_newer()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Window = 2 });
        await rig.RouteOneAsync();
        rig.Give(4);
        await rig.SettleAsync();
        rig.Broker.Current!.RefuseOne(0);
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(1);
        Assert.Equal(["0\nset\nk0"], rig.Broker.Current.Unconfirmed.Select(m => m.Body)); // alone: what follows it must not overtake it again
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(["0\nset\nk2"], rig.Broker.Current.Unconfirmed.Select(m => m.Body));
        await rig.AdvanceAsync(8);
        rig.Broker.Current.ConfirmOne(0);
        await rig.AdvanceAsync(8);
        rig.Give(4);
        await rig.SettleAsync();
        Assert.Equal(2, rig.Broker.Current.Unconfirmed.Count); // the whole window again
    }

    [Fact]
    public async Task An_event_refused_too_often_is_sent_on_as_failed()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { MaxAttempts = 2 });
        rig.Give(1);
        await rig.SettleAsync();
        rig.Broker.Current!.RefuseOne(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(6);
        rig.Broker.Current!.RefuseOne(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(6);
        Assert.Equal("redis_keyspace_events.failed", rig.Broker.Current.Unconfirmed[0].RoutingKey);
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(1, rig.Ledger.Snapshot().Dropped[(int)DropReason.DeadLettered]);
    }

    [Fact]
    public async Task A_message_too_large_for_the_broker_is_found_dropped_and_counted_and_holds_up_nothing()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Give(3); // the second is the one
        await rig.SettleAsync();
        rig.Broker.Current!.CloseAsTooLarge();
        await rig.SettleAsync();
        await rig.AdvanceAsync(2);

        Assert.Equal(["0\nset\nk0"], rig.Broker.Current.Unconfirmed.Select(m => m.Body)); // one at a time
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(["0\nset\nk1"], rig.Broker.Current.Unconfirmed.Select(m => m.Body));
        rig.Broker.Current.CloseAsTooLarge();
        await rig.SettleAsync();
        await rig.AdvanceAsync(2);

        Assert.Equal(["0\nset\nk2"], rig.Broker.Current.Unconfirmed.Select(m => m.Body));
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        var ledger = rig.Ledger.Snapshot();
        Assert.Equal((3L, 1L, 0L), (ledger.Confirmed, ledger.Dropped[(int)DropReason.TooLarge], ledger.Difference));
    }

    [Fact]
    public async Task A_returned_event_is_never_counted_as_delivered()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Give(3);
        await rig.SettleAsync();
        rig.Broker.Current!.ReturnOne(1);
        rig.Broker.Current.ConfirmUpTo(2);
        await rig.SettleAsync();
        var ledger = rig.Ledger.Snapshot();
        Assert.Equal((3L, 1L, 0L), (ledger.Confirmed, ledger.Dropped[(int)DropReason.Unroutable], ledger.Difference));
    }

    [Fact]
    public async Task After_disconnect_events_are_neither_sent_nor_stored()
    {
        var rig = new DeliveryRig();
        rig.Give(1);
        await rig.SettleAsync();
        rig.Broker.Current!.ConfirmUpTo(1);
        var disconnect = rig.Loop.DisconnectAsync();
        await rig.SettleAsync();
        Assert.True(await disconnect);
        rig.Give(5);
        await rig.AdvanceAsync(60);
        Assert.Empty(rig.Store.Entries);
        Assert.Equal(5, rig.Ledger.Snapshot().Dropped[(int)DropReason.Disconnected]);

        var again = rig.Loop.DisconnectAsync();
        await rig.SettleAsync();
        Assert.False(await again);

        var connect = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(0, (await connect).Code);
        rig.Give(1);
        await rig.DrainAsync();
        Assert.Equal(["k0", "k6"], rig.QueuedKeys);
    }

    [Theory]
    [InlineData(false, true, 0)]
    [InlineData(true, false, 4)]
    public async Task Connect_with_new_parameters_gets_the_outcome_of_an_attempt_with_these_and_not_of_an_older_one(bool oldReachable, bool newReachable, int expected)
    {
        var rig = await ConnectingAsync(oldReachable);
        rig.Broker.IsReachable = newReachable;
        rig.Config = rig.Config with { Amqp = rig.Config.Amqp with { User = "other" } };
        rig.Loop.ConfigChanged();
        var connect = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(expected, (await connect).Code);
    }

    [Fact]
    public async Task Connect_whose_parameters_another_command_changes_meanwhile_says_so()
    {
        var rig = await ConnectingAsync(isReachable: false);
        var connect = rig.Loop.ConnectAsync();
        rig.Config = rig.Config with { Amqp = rig.Config.Amqp with { User = "other" } };
        rig.Loop.ConfigChanged();
        rig.Broker.IsReachable = true;
        var another = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(3, (await connect).Code);
        Assert.Contains("another command has changed the connection", (await connect).Reason, StringComparison.Ordinal);
        Assert.Equal(0, (await another).Code);
    }

    [Fact]
    public async Task Connect_that_waits_while_disconnect_comes_says_so()
    {
        var rig = await ConnectingAsync(isReachable: false);
        var connect = rig.Loop.ConnectAsync();
        var disconnect = rig.Loop.DisconnectAsync();
        await rig.SettleAsync();
        Assert.True(await disconnect);
        Assert.Equal(new ConnectResult(3, "disconnected meanwhile"), await connect);
    }

    [Fact]
    public async Task Connect_that_waits_when_the_program_ends_is_answered()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsSilent = true;
        var connect = rig.Loop.ConnectAsync();
        var end = rig.Loop.StopAsync(TimeSpan.FromSeconds(4), Task.CompletedTask);
        await Eventually.TrueAsync("the end of the loop", async () =>
        {
            await rig.Loop.StepAsync();
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            return rig.Loop.HasEnded;
        });
        Assert.Equal(new ConnectResult(3, "the program ends"), await connect.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken));
        await end;
    }

    [Fact]
    public async Task A_change_that_does_not_concern_the_link_leaves_a_running_attempt_alone()
    {
        var rig = await ConnectingAsync(isReachable: true);
        rig.Config = rig.Config with { Events = EventClass.String };
        rig.Loop.ConfigChanged();
        await rig.SettleAsync();
        Assert.Equal(1, rig.Broker.Attempts);
        Assert.True(rig.Loop.Links.IsUsable);
    }

    [Fact]
    public void The_states_own_notifications_are_nobodys_events_and_those_of_the_fallback_storage_are_filtered()
    {
        var rig = new DeliveryRig();
        rig.GiveOf(1, 1, FallbackKey.StateOf(null));
        rig.GiveOf(1, 2, FallbackKey.StateOf("host") + "{12}");
        Assert.Equal((0L, 0L), (rig.Ledger.Snapshot().Received, rig.Ledger.Snapshot().Filtered));
        rig.GiveOf(1, 3, FallbackKey.Name);
        Assert.Equal((1L, 1L), (rig.Ledger.Snapshot().Received, rig.Ledger.Snapshot().Filtered));
        Assert.True(rig.Loop.Memory.IsEmpty);
    }

    /// <summary>An attempt has been begun, and its outcome is not taken in yet.</summary>
    private static async Task<DeliveryRig> ConnectingAsync(bool isReachable)
    {
        var rig = new DeliveryRig();
        rig.Broker.FailWith = LinkFailureKind.Authentication;
        rig.Broker.IsReachable = isReachable;
        rig.Give(1);
        await Eventually.TrueAsync("an attempt to begin", async () =>
        {
            await rig.Loop.StepAsync();
            return rig.Loop.Links.IsConnecting;
        });
        return rig;
    }

    [Fact]
    public async Task Connecting_twice_says_so()
    {
        var rig = new DeliveryRig();
        var first = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        var second = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal((0, 6), ((await first).Code, (await second).Code));
    }

    [Fact]
    public async Task A_failed_connect_tells_its_number_and_goes_on_trying()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        var connect = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(2, (await connect).Code);
        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(11);
        Assert.True(rig.Loop.Links.IsUsable);
    }

    [Fact]
    public async Task Changed_connection_parameters_lead_to_a_new_link()
    {
        var rig = new DeliveryRig();
        rig.Give(1);
        await rig.SettleAsync();
        var old = rig.Broker.Current!;
        rig.Config = rig.Config with { Amqp = rig.Config.Amqp with { User = "other" } };
        rig.Loop.ConfigChanged();
        await rig.SettleAsync();
        old.ConfirmUpTo(1);
        await rig.SettleAsync();
        Assert.True(old.IsClosed);
        Assert.NotSame(old, rig.Broker.Current);
        Assert.Equal(1, rig.Ledger.Snapshot().Confirmed);
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

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 0)]
    public async Task With_the_list_switched_off_events_are_stored_only_where_there_is_a_spool(bool hasSpool, int stored)
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { HasSpool = hasSpool });
        rig.Config = rig.Config with { FallbackStorageSize = -1 };
        rig.Broker.IsReachable = false;
        rig.Give(3);
        await rig.AdvanceAsync(2);
        Assert.Equal(stored, rig.Store.Entries.Count);
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
    public async Task Stopping_stores_what_cannot_be_sent()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Give(3);
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        await rig.AdvanceAsync(0.2);
        await rig.AdvanceAsync(0.2);
        await stop;
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal((0L, 3), (rig.Loop.LeftBehind, rig.Store.Entries.Count));
    }

    [Fact]
    public async Task What_can_be_placed_nowhere_before_the_end_is_counted()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Store.IsDown = true;
        rig.Give(3);
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        for (var second = 0; second < 10; second++)
            await rig.AdvanceAsync(1);

        await stop;
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal((3L, 3L), (rig.Loop.LeftBehind, rig.Ledger.Snapshot().Dropped[(int)DropReason.Shutdown]));
    }

    [Fact]
    public async Task Stopping_in_the_middle_of_a_drain_leaves_the_rest_in_the_list()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Window = 4 });
        rig.Broker.IsReachable = false;
        rig.Give(20);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(11);
        rig.Broker.Current!.ConfirmOne(0);
        await rig.SettleAsync();
        rig.Broker.Current.ConfirmUpTo(2);
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        await rig.AdvanceAsync(0.2);
        rig.Broker.Current.ConfirmUpTo(rig.Broker.Current.Unconfirmed.Count);
        for (var second = 0; second < 10; second++)
            await rig.AdvanceAsync(1);

        await stop;
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal(20, rig.Broker.Queue.Count + rig.Store.Entries.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fault_in_the_program_is_not_tried_again_but_ends_the_loop(bool atPublish)
    {
        var log = new RecordingLogger();
        var rig = new DeliveryRig(logger: log);
        var bug = new NullReferenceException("a bug");
        if (atPublish)
        {
            rig.Give(1);
            await rig.SettleAsync();
            rig.Broker.Current!.ConfirmOne(0);
            await rig.SettleAsync();
        }

        rig.Broker.Bug = bug;
        rig.Give(1);
        var run = rig.Loop.RunAsync();
        var error = await Assert.ThrowsAsync<NullReferenceException>(() => run.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        Assert.Same(bug, error);
        Assert.Contains(log.Lines, line => line.StartsWith("Critical 2112 ", StringComparison.Ordinal));
    }
}
