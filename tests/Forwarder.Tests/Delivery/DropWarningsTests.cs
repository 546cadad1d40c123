using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Tests.Feed;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Is each reason for which events are dropped, refused or found logged with its sum, once, and not while nothing happens?</summary>
public sealed class DropWarningsTests
{
    private readonly RecordingLogger _log = new();

    [Fact]
    public async Task While_all_events_arrive_there_is_no_warning()
    {
        var rig = new DeliveryRig(logger: _log);
        await rig.RouteOneAsync();
        for (var i = 0; i < 30; i++)
        {
            rig.Give(1);
            await rig.AdvanceAsync(1);
            rig.Broker.Current!.ConfirmUpTo(1);
        }

        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("Warning ", StringComparison.Ordinal));
        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("Information 2111 ", StringComparison.Ordinal));
        Assert.Empty(QueuesFound());
    }

    [Fact]
    public async Task A_missing_queue_is_there_again_once_a_message_was_routed_and_not_already_when_there_is_a_new_link()
    {
        var rig = new DeliveryRig(logger: _log);
        rig.Give(1);
        await rig.SettleAsync();
        rig.Broker.Current!.ReturnOne(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(0.2);
        Assert.Single(_log.Lines, line => line.StartsWith("Warning 2119 ", StringComparison.Ordinal));

        rig.Broker.Current!.Break(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(1);
        await rig.AdvanceAsync(0.2);
        Assert.Empty(QueuesFound());
        rig.Broker.Current!.ConfirmUpTo(1);
        await rig.SettleAsync();
        await rig.AdvanceAsync(0.2);
        Assert.Single(QueuesFound());
    }

    [Fact]
    public async Task Events_dropped_because_memory_was_full()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { BufferBytes = 10_000 }, logger: _log);
        rig.Config = rig.Config with { FallbackStorageSize = -1 };
        rig.Broker.IsReachable = false;
        rig.Give(1000);
        var dropped = rig.Ledger.Dropped(DropReason.MemoryFull);
        Assert.InRange(dropped, 800, 999);
        await AssertSaidOnceAsync(rig, $"Warning 2107 memory for waiting events is full (10000 bytes): {dropped} dropped so far");
    }

    [Fact]
    public async Task Events_dropped_at_the_cap_of_the_storage()
    {
        var rig = new DeliveryRig(logger: _log);
        rig.Config = rig.Config with { FallbackStorageSize = 4 };
        rig.Broker.IsReachable = false;
        rig.Give(10);
        await AssertSaidOnceAsync(rig, "Warning 2110 the fallback storage is at its cap: 6 events dropped so far");
    }

    [Fact]
    public async Task Two_reasons_at_the_same_time_are_both_said()
    {
        var store = new FakeStore();
        store.Entries.AddRange(["0\nexpired\na", "0\nexpired\nb"]);
        var rig = new DeliveryRig(store, logger: _log);
        rig.Config = rig.Config with { FallbackStorageSize = 4 };
        rig.Broker.IsReachable = false;
        rig.Give(10);
        await rig.AdvanceAsync(2);
        await rig.AdvanceAsync(0.2);
        Assert.Single(_log.Lines, line => line.StartsWith("Warning 2110 ", StringComparison.Ordinal));
        Assert.Single(_log.Lines, line => line.StartsWith("Information 2111 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Events_that_the_storage_has_lost()
    {
        var rig = new DeliveryRig(logger: _log);
        rig.Broker.IsReachable = false;
        rig.Give(10);
        await rig.AdvanceAsync(2);
        rig.Store.Entries.RemoveRange(0, 7);
        await AssertSaidOnceAsync(rig, "Warning 2109 the fallback storage has lost 7 events so far");
    }

    [Fact]
    public async Task Events_found_in_the_storage()
    {
        var store = new FakeStore();
        store.Entries.AddRange(["0\nexpired\na", "0\nexpired\nb"]);
        await AssertSaidOnceAsync(new DeliveryRig(store, logger: _log), "Information 2111 2 events so far were found in the fallback storage");
    }

    [Theory]
    [InlineData(false, "dropped and counted")]
    [InlineData(true, "kept and tried again")]
    public async Task Events_that_came_back_by_the_policy(bool storeUnroutable, string policy)
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { StoreUnroutable = storeUnroutable }, logger: _log);
        await rig.RouteOneAsync();
        rig.Give(1);
        await rig.SettleAsync();
        rig.Broker.Current!.ReturnOne(0);
        await rig.SettleAsync();
        for (var i = 0; i < 10; i++) await rig.AdvanceAsync(0.1);

        var line = Assert.Single(_log.Lines, line => line.StartsWith("Warning 2105 ", StringComparison.Ordinal));
        Assert.Contains($"events came back 1 times so far ({policy})", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_too_large_for_the_broker()
    {
        var rig = new DeliveryRig(logger: _log);
        await rig.RouteOneAsync();
        rig.Give(1);
        await rig.SettleAsync();
        rig.Broker.Current!.CloseAsTooLarge();
        await AssertSaidOnceAsync(rig, "Warning 2116 1 events so far were dropped because the broker takes no messages of their size");
    }

    [Fact]
    public async Task Events_that_the_broker_refused()
    {
        var rig = new DeliveryRig(logger: _log);
        await rig.RouteOneAsync();
        rig.Give(2);
        await rig.SettleAsync();
        rig.Broker.Current!.RefuseOne(0);
        rig.Broker.Current.RefuseOne(0);
        await AssertSaidOnceAsync(rig, "Warning 2106 the broker refused events 2 times so far (nack)", seconds: 5);
    }

    [Fact]
    public async Task Events_sent_on_as_failed()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { MaxAttempts = 1 }, logger: _log);
        await rig.RouteOneAsync();
        rig.Give(2);
        await rig.SettleAsync();
        rig.Broker.Current!.RefuseOne(0);
        rig.Broker.Current.RefuseOne(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(1);
        rig.Broker.Current.ConfirmUpTo(2);
        await AssertSaidOnceAsync(rig, "Warning 2114 2 events so far were refused 1 times each and sent on with routing key 'redis_keyspace_events.failed'");
    }

    [Fact]
    public async Task Routing_keys_that_were_cut()
    {
        var rig = new DeliveryRig(logger: _log);
        rig.Config = rig.Config with { RoutingKey = "{key}" };
        rig.GiveOf(1, 1, new string('k', 300));
        await rig.SettleAsync();
        rig.Broker.Current!.ConfirmUpTo(1);
        await AssertSaidOnceAsync(rig, "Warning 2115 routing keys made of '{key}' were longer than AMQP's 255 bytes and were cut, 1 so far");
    }

    private IEnumerable<string> QueuesFound() => _log.Lines.Where(line => line.StartsWith("Information 2120 ", StringComparison.Ordinal));

    /// <summary>All lines of the same event id are looked at. The next look is 0.1 s later at most, and the same may be logged again after 10 s.</summary>
    private async Task AssertSaidOnceAsync(DeliveryRig rig, string beginning, double seconds = 15)
    {
        for (var passed = 0.0; passed < seconds; passed += 0.5) await rig.AdvanceAsync(0.5);

        var id = string.Join(' ', beginning.Split(' ').Take(2)) + " ";
        Assert.StartsWith(beginning, Assert.Single(_log.Lines, line => line.StartsWith(id, StringComparison.Ordinal)), StringComparison.Ordinal);
    }
}
