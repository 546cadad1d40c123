using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>When is an event sent to the broker, and when does it count as delivered?</summary>
public sealed class DeliveryPublishTests
{
    [Fact]
    public async Task Nothing_is_connected_before_something_is_wanted()
    {
        var rig = new DeliveryRig();
        var wanting = rig.Config;
        rig.Config = new ForwarderConfig();
        await rig.AdvanceAsync(60);
        Assert.Equal(0, rig.Broker.Attempts);

        rig.Config = wanting;
        rig.Loop.ConfigChanged();
        await rig.SettleAsync();
        Assert.Equal(1, rig.Broker.Attempts);
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
    public async Task Once_the_bytes_of_the_window_are_unconfirmed_nothing_more_is_sent()
    {
        var one = new DeliveryRig();
        one.Give(1);
        var bytes = one.Loop.Memory.Bytes - EventLog.EntryOverhead;

        var rig = new DeliveryRig(options: new DeliveryOptions { WindowBytes = 3 * bytes });
        await rig.RouteOneAsync();
        rig.Give(5);
        await rig.SettleAsync();
        Assert.Equal(3, rig.Broker.Current!.Unconfirmed.Count);

        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(3, rig.Broker.Current.Unconfirmed.Count);
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
        // No event may overtake the one whose publish hangs.
        Assert.Equal(2, rig.Broker.Current.Unconfirmed.Count);
        rig.Broker.IsReachable = false;
        await rig.AdvanceAsync(rig.Options.PublishDeadline.TotalSeconds);
        Assert.True(rig.Broker.Current.IsClosed);
        Assert.Equal(3, rig.Store.Entries.Count);
    }

    [Fact]
    public async Task A_publish_that_hangs_on_a_lost_link_does_not_hold_up_the_next_link()
    {
        var rig = await HangingAsync();
        var old = rig.Broker.Current!;
        old.Break(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(1);
        var link = rig.Broker.Current!;
        Assert.NotSame(old, link);
        Assert.Equal(["0\nset\nk0"], link.Unconfirmed.Select(message => message.Body));
        await rig.AdvanceAsync(rig.Options.PublishDeadline.TotalSeconds);
        Assert.False(link.IsClosed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_publish_that_fails_after_a_while_gives_the_link_up_and_its_event_is_stored(bool isCancelled)
    {
        var rig = await HangingAsync();
        var link = rig.Broker.Current!;
        rig.Broker.IsReachable = false;
        if (isCancelled) link.Taken.SetCanceled(TestContext.Current.CancellationToken);
        else link.Taken.SetException(new IOException("the wire is cut"));

        await rig.SettleAsync();
        Assert.True(link.IsClosed);
        Assert.StartsWith("publishing failed:", rig.Loop.Links.LastFailure?.Message, StringComparison.Ordinal);
        Assert.Single(rig.Store.Entries);
    }

    [Fact]
    public async Task A_publish_that_fails_after_a_while_by_a_fault_of_the_program_ends_the_loop()
    {
        var rig = await HangingAsync();
        var bug = new NullReferenceException("a bug");
        rig.Broker.Current!.Taken.SetException(bug);
        Assert.Same(bug, await Assert.ThrowsAsync<NullReferenceException>(rig.SettleAsync));
    }

    /// <summary>Returns a rig whose link has routed one message and hangs with the next one.</summary>
    private static async Task<DeliveryRig> HangingAsync()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Broker.Current!.Hangs = true;
        rig.Give(1);
        await rig.SettleAsync();
        return rig;
    }
}
